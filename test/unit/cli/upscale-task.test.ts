import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { batchPlan, makeFolders } from '../../../app/cli/batch-plan.ts';
import type { UpscaleFlags } from '../../../app/cli/upscale-task.ts';
import { createTask, givenOptions } from '../../../app/cli/upscale-task.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the task that flags ask for', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  const flagsOf = (flags: Readonly<Record<string, unknown>>): UpscaleFlags => ({
    output: join(folder.path, 'out'),
    upscaler: 'AUTO',
    suffix: '_upscaled',
    format: 'auto',
    metadata: 'keep',
    ...flags,
  });
  const create = async (flags: Readonly<Record<string, unknown>>) => {
    const files = [{ path: '/in/a.png', relativePath: 'a.png' }];
    const { task } = await batchPlan({ files, leftOut: [] }, flagsOf(flags));
    return createTask(task, flagsOf(flags));
  };

  it('has every option under the name that the service has for it', async () => {
    const given = { scale: '2.5', tile: '64', tilePad: '10', prePad: '4', denoiseStrength: '0.5', device: 'cpu' };
    const task = await create({
      ...given,
      precision: 'int8',
      tta: 'auto',
      quality: '80',
      upscaler: 'LANCZOS',
      metadata: 'strip',
      overwrite: true,
    });
    expect(task).toEqual({
      kind: 'hires-fix',
      images: [{ file: '/in/a.png', name: '/in/a.png', outputStem: join(folder.path, 'out/a_upscaled') }],
      options: {
        upscaler: 'LANCZOS',
        scale: 2.5,
        tile: 64,
        tile_pad: 10,
        pre_pad: 4,
        denoise_strength: 0.5,
        device: 'cpu',
        precision: 'int8',
        tta: 'auto',
      },
      output: { output_format: 'auto', quality: 80, frames: 'first', metadata: 'strip' },
      mayOverwrite: true,
    });
    expect(givenOptions(flagsOf({ prePad: '4' }))).toEqual({
      upscaler: 'AUTO',
      pre_pad: '4',
      output_format: 'auto',
      metadata: 'keep',
    });
  });

  it('takes a checkpoint by its path, and any other name as it is', async () => {
    const file = join(folder.path, 'mine.pth');
    await writeFile(file, '');
    expect(await create({ upscaler: file })).toMatchObject({ modelFile: file, options: { upscaler: 'AUTO' } });
    expect(await create({ upscaler: 'other.pth' })).toMatchObject({ options: { upscaler: 'other.pth' } });
    expect((await create({ upscaler: 'sub/other.pth' })).modelFile).toBeUndefined();
    await expect(create({ upscaler: `${folder.path}/` })).rejects.toThrow(/--upscaler: expected a checkpoint file/);
  });

  it.each([
    [{ scale: '0' }, '--scale: must be a number above 0, got "0"'],
    [{ scale: '-1' }, '--scale: must be a number above 0, got "-1"'],
    [{ scale: 'NaN' }, '--scale: must be a number above 0, got "NaN"'],
    [{ scale: '' }, '--scale: must be a number above 0, got ""'],
    [{ scale: '2', height: '9' }, '--scale: must not come with height: give a factor, or the sides, got "2"'],
    [{ width: '1.5' }, '--width: must be a whole number of at least 1, got "1.5"'],
    [{ height: '0' }, '--height: must be a whole number of at least 1, got "0"'],
    [{ tile: 'small' }, '--tile: must be auto or a whole number of at least 0, got "small"'],
    [{ tile: '-1' }, '--tile: must be auto or a whole number of at least 0, got "-1"'],
    [{ tilePad: '0.5' }, '--tile-pad: must be auto or a whole number of at least 0, got "0.5"'],
    [{ prePad: 'auto' }, '--pre-pad: must be a whole number of at least 0, got "auto"'],
    [{ tta: '8' }, '--tta: must be auto, 1, 2, 4, got "8"'],
    [{ denoiseStrength: '2' }, '--denoise-strength: must be a number from 0 to 1, got "2"'],
    [{ quality: '0' }, '--quality: must be a whole number from 1 to 100, got "0"'],
  ])('names the flag of %j, what was expected and what came', async (flags, message) => {
    await expect(create(flags)).rejects.toMatchObject({ code: 'ERR_USAGE', message });
  });

  it('needs a folder that can be made, and takes files', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const refused = /^--output: no files can be made in .*; choose another folder$/;
    for (const output of [join(folder.path, 'file/out'), '/proc/a/b']) {
      await expect(makeFolders(await create({ output }))).rejects.toThrow(refused);
    }
    await makeFolders(await create({ output: join(folder.path, 'deep/there') }));
    expect((await stat(join(folder.path, 'deep/there'))).isDirectory()).toBe(true);
  });
});
