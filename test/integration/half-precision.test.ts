import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describePrecision } from '../../app/processing/networks/precision.ts';
import { proceduralScene } from '../../app/processing/int8/scene.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import { smallNetwork, smallTensors } from '../support/networks/small-networks.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** More than 16 bits hold, and nothing to 32. */
const WIDE = 1e5;

it('runs an image again in fp32 where fp16 produces values that are not numbers', async () => {
  const folder = await temporaryFolder();
  const child = new NetworkProcess();
  try {
    const tensors = smallTensors(smallNetwork('compact-x2'));
    const bias = tensors.get('body.0.bias');
    if (!bias) throw new Error('no bias');
    tensors.set('body.0.bias', { ...bias, dtype: 'float32', data: new Float32Array(bias.shape[0] ?? 0).fill(WIDE) });
    const file = join(folder.path, 'wide.pth');
    writeCheckpoint(file, tensors, { format: 'pth-zip' });
    const tiling = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: true } as const;
    const task = {
      kind: 'upscale',
      files: { file },
      jobs: [{ image: proceduralScene(1, 24), tiling }],
      folder: folder.path,
    } as const;
    const [wide] = await child.upscale(task);
    const [half] = await child.upscale({ ...task, isHalf: true });
    expect(half?.image.data).toEqual(wide?.image.data);
    expect(half?.told.filter((done) => done === 0).length).toBe(2);
  } finally {
    await child.close();
    await folder.remove();
  }
}, 60_000);

it('tells that it did, and takes fp16 by itself on CUDA alone', () => {
  expect(describePrecision({ asked: 'auto', holdsHalf: true }, 'cuda')).toEqual({
    precision_asked: 'auto',
    precision: 'fp16',
    warnings: [],
  });
  expect(describePrecision({ asked: 'auto', holdsHalf: true }, 'cpu')).toMatchObject({ precision: 'fp32' });
  expect(describePrecision({ asked: 'fp32', holdsHalf: true }, 'cuda')).toMatchObject({
    precision: 'fp32',
    warnings: [],
  });
  const { precision, warnings } = describePrecision({ asked: 'auto', holdsHalf: true, isWidened: true }, 'cuda');
  expect([precision, warnings.join()]).toEqual(['fp32', expect.stringContaining('values that are not numbers')]);
});
