/** Writes docs/configuration.md anew (`npm run docs:configuration`). */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { CONFIGURATION_PAGE, configurationPage } from './configuration-page.ts';

writeFileSync(CONFIGURATION_PAGE, await format(configurationPage(), { parser: 'markdown', proseWrap: 'preserve' }));
