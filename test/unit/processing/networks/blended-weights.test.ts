import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { blendedValues } from '../../../../app/processing/networks/blended-weights.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** Numbers whose sums and products do not fit into float32. */
const FIRST = Float32Array.of(0.1, -1 / 3, 1e-7, 16_777_217, 0, 1);
const SECOND = Float32Array.of(0.3, 2 / 3, 1e7, 0.1, -0, 1);

describe('two checkpoints blended', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  const written = (name: string, data: Float32Array, shape = [2, 3], tensor = 'a.weight') => {
    const file = join(folder.path, `${name}.pth`);
    writeCheckpoint(file, new Map([[tensor, { shape, dtype: 'float32', data }]]), { format: 'pth-zip' });
    return openCheckpoint(file);
  };

  it.each([0, 0.3, 0.5, 0.7, 1])('are strength * first + (1 - strength) * second in float32, at %f', (strength) => {
    const values = blendedValues(written('first', FIRST), written('second', SECOND), strength)('a.weight');
    // As torch does it: the two factors are rounded to float32 first, then each product, then the sum.
    const expected = new Float32Array(FIRST.length);
    const factors = Float32Array.of(strength, 1 - strength);
    for (let i = 0; i < expected.length; i++) {
      const products = Float32Array.of((factors[0] ?? 0) * (FIRST[i] ?? 0), (factors[1] ?? 0) * (SECOND[i] ?? 0));
      expected[i] = (products[0] ?? 0) + (products[1] ?? 0);
    }
    expect([...(values ?? [])]).toEqual([...expected]);
  });

  it('must be of one network', () => {
    const first = written('first', FIRST);
    expect(() => blendedValues(first, written('shape', SECOND, [3, 2]), 0.5)).toThrow(
      /shape\.pth.*cannot be blended.*first\.pth.*a\.weight is 3 x 2 instead of 2 x 3/,
    );
    expect(() => blendedValues(first, written('name', SECOND, [2, 3], 'b.weight'), 0.5)).toThrow(
      /a\.weight is missing instead of 2 x 3/,
    );
  });
});
