import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { evaluateFiles } from '../../../app/evaluation/evaluate-files.ts';
import { writeReport } from '../../../app/evaluation/evaluation-report.ts';
import { evaluationView } from '../../../app/evaluation/evaluation-view.ts';
import { TOLD_COLORS_FOLDER } from '../../support/images/told-colors.ts';
import { readPngChunks } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

it('shows a pair in the colours that its reference says', async () => {
  const picture = join(TOLD_COLORS_FOLDER, 'cicp-p3.png');
  const options = { cropBorder: 0, isLumaOnly: false, maxPixels: 10_000 };
  const score = await evaluateFiles({ name: 'p3', reference: picture, candidate: picture }, options);
  await writeReport(folder.path, evaluationView([score], [], options), options.maxPixels);
  const shown = readPngChunks(readFileSync(join(folder.path, 'pictures/01.png')));
  expect(shown.find(({ type }) => type === 'cICP')?.data).toEqual(Uint8Array.of(12, 13, 0, 1));
});
