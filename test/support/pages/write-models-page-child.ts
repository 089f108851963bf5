/** Writes docs/models.md anew (`npm run docs:models`). */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { MODELS_PAGE, modelsPage } from './models-page.ts';

writeFileSync(MODELS_PAGE, await format(modelsPage(), { parser: 'markdown', proseWrap: 'preserve' }));
