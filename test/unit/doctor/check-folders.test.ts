import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkFolders } from '../../../app/doctor/check-folders.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const check = (modelsDir: string, modelDownloads: boolean) =>
  checkFolders({
    ...{ modelsDir, modelDownloads },
    ...{ uploadFolder: join(folder.path, 'up'), processedFolder: join(folder.path, 'deep', 'down', 'results') },
  });

describe('checkFolders', () => {
  it('finds folders that are there, and those that can be made, without making them', async () => {
    await mkdir(join(folder.path, 'up'));
    const { found, problems } = await check('/proc', false);
    expect(problems).toEqual([]);
    expect(found).toMatchObject([
      { variable: 'MODELS_DIR', path: '/proc', is_there: true, free_bytes: null },
      { variable: 'UPLOAD_FOLDER', is_there: true, is_writable: true, free_bytes: expect.any(Number) },
      { variable: 'PROCESSED_FOLDER', is_there: false, is_writable: true },
    ]);
    expect(await folder.files()).toEqual([]);
  });

  it('minds a folder of models that cannot be written to where models are to be fetched', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const models = join(folder.path, 'file', 'models');
    expect((await check(models, false)).problems).toEqual([]);
    expect((await check(models, true)).problems).toEqual([
      {
        is_error: true,
        problem: `MODELS_DIR: ${models} cannot be made`,
        remedy: expect.stringContaining('MODEL_DOWNLOADS=false'),
      },
    ]);
  });
});
