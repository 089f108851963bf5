import { buildPage } from './web/built-page.ts';
import { buildShared } from './built-program.ts';

/** Jest calls this before all tests: the processes that they start are of one build of the sources, and not each compiled anew; the page is of these too. */
export default async function buildBeforeTests(): Promise<void> {
  await buildPage();
  process.env['HIRESFIX_BUILT'] = await buildShared();
}
