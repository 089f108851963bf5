import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Command } from 'commander';
import { addModelsCommand } from '../../../app/cli/commands/models-command.ts';
import { UsageError } from '../../../app/cli/errors.ts';
import { loadConfig } from '../../../app/config.ts';
import { asNobody } from '../../support/as-nobody.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const COMPACT_X2 = fileURLToPath(new URL('../../../models/compact-x2.safetensors', import.meta.url));

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
});
afterEach(() => folder.remove());

async function inspect(file: string): Promise<void> {
  const program = new Command().exitOverride();
  addModelsCommand(program, () => loadConfig({ MODELS_DIR: folder.path }));
  await program.parseAsync(['models', 'inspect', file], { from: 'user' });
}

describe('hiresfix models inspect', () => {
  it('says of a file in a folder without rights that the folder may not be read', async () => {
    const closed = join(folder.path, 'closed');
    await mkdir(closed, { mode: 0 });
    const file = join(closed, '4x.pth');
    await expect(asNobody(() => inspect(file))).rejects.toEqual(new UsageError(`${file}: its folder may not be read`));
  });

  it('takes the name of what is installed, and says how to get what is not', async () => {
    const said = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await copyFile(COMPACT_X2, join(folder.path, 'mine.safetensors'));
    for (const name of ['COMPACT_X2', 'mine']) {
      await inspect(name);
      expect(said.mock.lastCall?.[0]).toMatch(/^architecture +Compact$/m);
    }
    said.mockRestore();
    await expect(inspect('realesrgan-x2plus')).rejects.toThrow(
      /^realesrgan-x2plus is not installed; hiresfix models download realesrgan-x2plus fetches it$/,
    );
    await expect(inspect('mime')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_MODEL' });
  });

  it.each([
    ['4x.pth', /4x\.pth: there is no such file$/],
    ['.', /expected a file, got a folder$/],
  ])('says what is wrong with %s', async (name, words) => {
    await expect(inspect(join(folder.path, name))).rejects.toThrow(words);
  });
});
