import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findCalibration, saveCalibration } from '../../../../app/processing/networks/int8-calibration.ts';
import type { Int8Tensors } from '../../../../app/quantization/int8-model.ts';
import { GOOD_FIGURES } from '../../../support/forms/fidelity-figures.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const RECORD = {
  version: 2,
  weights_sha256: 'a'.repeat(64),
  weight_limit: 63,
  calibrated_on: { source: 'scenes', crops: 12 },
  measured: GOOD_FIGURES,
} as const;
const TENSORS: Int8Tensors = new Map([
  ['int8.trunk', { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) }],
  ['int8.steps', { shape: [1, 2], dtype: 'float32', data: Float32Array.of(0.5, 0.25) }],
  ['int8.scales', { shape: [1], dtype: 'float32', data: Float32Array.of(0.1) }],
  ['int8.biases', { shape: [1], dtype: 'int32', data: Int32Array.of(7) }],
  ['conv.weight', { shape: [1, 2, 1, 1], dtype: 'int8', data: Int8Array.of(1, 2) }],
]);

describe('A calibration', () => {
  let folder: TemporaryFolder;
  let checkpoint: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    checkpoint = join(folder.path, 'net.pth');
    await writeFile(checkpoint, 'weights');
  });

  afterEach(() => folder.remove());

  it('lies beside its weights as it was written, in the place of an older one', async () => {
    await saveCalibration(checkpoint, TENSORS, { ...RECORD, weight_limit: 127 });
    await saveCalibration(checkpoint, TENSORS, RECORD);
    expect((await readdir(folder.path)).sort()).toEqual(['net.pth', 'net.pth.int8']);
    const found = await findCalibration(checkpoint, RECORD.weights_sha256);
    if (typeof found === 'string') throw new Error(found);
    expect(found.record).toEqual(RECORD);
    expect([...found.numbers.trunk]).toEqual([1, 2]);
    expect(found.numbers.blocks).toEqual([{ input: 0.5, output: 0.25 }]);
  });

  it('belongs to the weights of one hash', async () => {
    expect(await findCalibration(checkpoint, RECORD.weights_sha256)).toContain('there is no int8 calibration');
    await saveCalibration(checkpoint, TENSORS, RECORD);
    expect(await findCalibration(checkpoint, 'b'.repeat(64))).toContain('was made for other weights');
  });

  it('that cannot be written leaves nothing half done, and says where and why', async () => {
    await mkdir(join(folder.path, 'net.pth.int8/folder'), { recursive: true });
    await expect(saveCalibration(checkpoint, TENSORS, RECORD)).rejects.toMatchObject({
      code: 'ERR_CALIBRATION_FOLDER',
      message: expect.stringContaining(`${folder.path} cannot be written to`) as unknown,
    });
    expect((await readdir(folder.path)).sort()).toEqual(['net.pth', 'net.pth.int8']);
  });
});
