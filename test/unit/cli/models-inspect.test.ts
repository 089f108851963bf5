import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { addModelsCommand } from '../../../app/cli/commands/models-command.ts';
import { UsageError } from '../../../app/cli/errors.ts';
import { loadConfig } from '../../../app/config.ts';
import { asNobody } from '../../support/as-nobody.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
});
afterEach(() => folder.remove());

async function inspect(file: string): Promise<void> {
  const program = new Command().exitOverride();
  addModelsCommand(program, () => loadConfig({}));
  await program.parseAsync(['models', 'inspect', file], { from: 'user' });
}

describe('hiresfix models inspect', () => {
  it('says of a file in a folder without rights that the folder may not be read', async () => {
    const closed = join(folder.path, 'closed');
    await mkdir(closed, { mode: 0 });
    const file = join(closed, '4x.pth');
    await expect(asNobody(() => inspect(file))).rejects.toEqual(new UsageError(`${file}: its folder may not be read`));
  });

  it.each([
    ['4x.pth', /4x\.pth: there is no such file$/],
    ['.', /expected a file, got a folder$/],
  ])('says what is wrong with %s', async (name, words) => {
    await expect(inspect(join(folder.path, name))).rejects.toThrow(words);
  });
});
