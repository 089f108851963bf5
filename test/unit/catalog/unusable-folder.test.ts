import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCatalog, createIntake } from '../../../app/catalog/create-catalog.ts';
import { ModelsFolderError } from '../../../app/catalog/errors.ts';
import { loadConfig } from '../../../app/config.ts';
import { asNobody } from '../../support/as-nobody.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a MODELS_DIR that cannot be used', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, 'closed'), { mode: 0o700 });
    await writeFile(join(folder.path, 'file'), '');
    await chmod(folder.path, 0o755);
  });
  afterEach(() => folder.remove());

  const configOf = (path: string) =>
    loadConfig({ MODELS_DIR: join(folder.path, path), MODEL_DOWNLOADS: 'false', DEVICE: 'cpu' });
  /** Errors of the system are of another realm here, and then told with their name. */
  const told = /^MODELS_DIR cannot be used: (Error: )?EACCES.*\/closed.*, or set MODELS_DIR to another$/;

  it.each(['closed', 'closed/models'])(
    'is named where %s may not be read, and what the package has is there',
    async (path) => {
      if (process.geteuid?.() !== 0) await chmod(join(folder.path, 'closed'), 0);
      const catalog = createCatalog(configOf(path));
      await asNobody(async () => {
        await expect(catalog.list()).rejects.toThrow(told);
        await expect(catalog.ensure('realesrgan-x4plus')).rejects.toThrow(told);
        const { file } = await catalog.ensure('compact-x2');
        expect(await catalog.sha256(file)).toMatch(/^[0-9a-f]{64}$/);
        await expect(createIntake(configOf(path), catalog).part()).rejects.toBeInstanceOf(ModelsFolderError);
      });
      await chmod(join(folder.path, 'closed'), 0o700);
    },
  );

  it.each(['file', 'file/models'])('has no models where %s is no folder, and takes none', async (path) => {
    const catalog = createCatalog(configOf(path));
    expect((await catalog.list()).filter(({ isInstalled }) => isInstalled).map(({ kind }) => kind)).toEqual([
      'bundled',
    ]);
    await expect(createIntake(configOf(path), catalog).part()).rejects.toThrow(
      /^MODELS_DIR cannot be used: (Error: )?E/,
    );
  });
});
