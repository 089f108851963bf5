import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCatalog } from '../../../app/catalog/create-catalog.ts';
import { loadConfig } from '../../../app/config.ts';
import { checkModels } from '../../../app/doctor/check-models.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const configOf = (directory: string) =>
  loadConfig({ MODELS_DIR: join(folder.path, directory), MODEL_DOWNLOADS: 'false', DEVICE: 'cpu' });

const FOLDER_REMEDY =
  'Let the user that hiresfix runs as read that folder and write to it, or set MODELS_DIR to another';

describe('checkModels', () => {
  it.each([
    ['a link to itself', 'loop', 'ELOOP'],
    ['a name that is too long', 'a'.repeat(300), 'ENAMETOOLONG'],
  ])('names a folder that is %s once, with what to do; what the package has works', async (_, directory, code) => {
    await symlink(join(folder.path, 'loop'), join(folder.path, 'loop'));
    const config = configOf(directory);
    const { found, problems } = await checkModels(config);
    expect(found).toEqual([]);
    expect(problems).toMatchObject([{ is_error: true, remedy: FOLDER_REMEDY }]);
    // Errors of the system are of another realm here, and then told with their name.
    expect(problems[0]?.problem).toMatch(
      new RegExp(`^MODELS_DIR cannot be used: (Error: )?${code}: [^.]*/models.lock.json'$`),
    );
    await expect(createCatalog(config).ensure('compact-x2')).resolves.toMatchObject({ kind: 'bundled' });
  });

  it('says how to do away with a list of downloaded models that is damaged', async () => {
    const list = join(folder.path, 'models', 'models.lock.json');
    await mkdir(join(folder.path, 'models'));
    await writeFile(list, '{');
    expect((await checkModels(configOf('models'))).problems).toEqual([
      {
        is_error: true,
        problem: `${list} cannot be read as the list of downloaded models`,
        remedy: 'Repair it, or delete it: then the models in that folder count as placed by hand',
      },
    ]);
  });
});
