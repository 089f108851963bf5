import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { buildManifestTensors, readManifest } from '../../support/checkpoints/hashed-weights.ts';

/** From the index of the goldens, where the Python scheme wrote them: SHA-256 over all tensors in manifest order. */
const DIGESTS = {
  compact_x4_super_ultra: '364731be80b9aa6140f9bbd1d8309e2888d567ad1abcd66e643ec63e3a819122',
  RealESRGAN_x4plus: '1aa87440a43a13c114af4d0d210d44ca1579b4f0d96e2a68e78b361312f59fc9',
  // Has int64 buffers given as affine grids and runs.
  'SwinIR-S_lightweight_x2': '4064aac007c57d7261b8aae02f1420eb9fd8f315edbe14ad0050b8c093b648bd',
};

describe('buildManifestTensors', () => {
  it.each(Object.entries(DIGESTS))('makes the weights of %s bit by bit', (name, expected) => {
    const hash = createHash('sha256');
    for (const { data } of buildManifestTensors(readManifest(name)).values()) {
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    expect(hash.digest('hex')).toBe(expected);
  });

  it('starts with the values that the index gives', () => {
    const { data } = buildManifestTensors(readManifest('RealESRGAN_x4plus')).get('conv_first.weight') ?? { data: [] };
    expect([...data.slice(0, 4)]).toEqual([
      0.003584625432267785, -0.12819699943065643, -0.04668756574392319, -0.007671233266592026,
    ]);
  });
});
