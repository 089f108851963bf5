/**
 * `npm run colors`: the pictures of test/fixtures/told-colors through the pipeline in every format, and whether Pillow and LittleCMS see
 * the results as the sources. Takes seconds; needs a Python with Pillow 13 and numpy, named by $HIRESFIX_PYTHON or as python3.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { OUTPUT_FORMAT_NAMES } from '../../app/options/output-formats.ts';
import { TOLD_COLORS_FOLDER, toldColorResults } from '../support/images/told-colors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = await temporaryFolder();
for (const format of OUTPUT_FORMAT_NAMES) await toldColorResults(folder.path, format, 'keep');
const python = process.env['HIRESFIX_PYTHON'] ?? 'python3';
const { status } = spawnSync(python, [join(TOLD_COLORS_FOLDER, 'check.py'), folder.path], { stdio: 'inherit' });
await folder.remove();
process.exitCode = status ?? 1;
