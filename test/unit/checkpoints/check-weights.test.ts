import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { checkWeights } from '../../../app/checkpoints/check-weights.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();
const FORMATS = ['pth-zip', 'pth-legacy', 'safetensors'] as const;
const FLOATS = ['float32', 'float16', 'bfloat16'] as const;
/** More than is read at a time. */
const LENGTH = 300_001;

function tensors(wrong?: number, at = LENGTH - 1): Map<string, TensorData> {
  const data = Float32Array.from({ length: LENGTH }, (_, i) => Math.fround((i % 97) - 48.5));
  if (wrong !== undefined) data[at] = wrong;
  return new Map<string, TensorData>([
    ['conv.weight', { shape: [3, 3], dtype: 'float32', data: Float32Array.from({ length: 9 }, (_, i) => i) }],
    ['body.0.weight', { shape: [LENGTH], dtype: 'float32', data }],
    ['steps', { shape: [2], dtype: 'int64', data: BigInt64Array.of(-1n, 2n ** 62n) }],
  ]);
}

function written(values: ReadonlyMap<string, TensorData>, layout: Parameters<typeof writeCheckpoint>[2]): string {
  const file = scratch.path('weights.pth');
  writeCheckpoint(file, values, layout);
  return file;
}

describe('checkWeights', () => {
  it.each(FORMATS.flatMap((format) => FLOATS.map((floats) => ({ format, floats }))))(
    'takes numbers as they are, and names the tensor that has none, in %j',
    (layout) => {
      expect(() => checkWeights(openCheckpoint(written(tensors(), layout)))).not.toThrow();
      for (const wrong of [NaN, Infinity, -Infinity]) {
        const refusal = refusalOf(() => checkWeights(openCheckpoint(written(tensors(wrong), layout))));
        expect(refusal).toMatchObject({ kind: 'not-finite', code: 'ERR_BAD_CHECKPOINT' });
        expect(refusal.message).toMatch(/^weights\.pth: tensor 'body\.0\.weight' holds values that are not numbers/);
      }
    },
  );

  it('looks at doubles and at the largest of them', () => {
    const doubles = (last: number): Map<string, TensorData> =>
      new Map([['w', { shape: [3], dtype: 'float64', data: Float64Array.of(1, -2, last) }]]);
    const check = (last: number) => () => checkWeights(openCheckpoint(written(doubles(last), { format: 'pth-zip' })));
    expect(check(1.7e308)).not.toThrow();
    expect(refusalOf(check(-Infinity)).kind).toBe('not-finite');
  });

  it.each([0, 1 << 19, 4 * LENGTH - 2])(
    'finds a bit that is another than was written, at byte %i of the weights',
    (at) => {
      const file = written(tensors(), { format: 'pth-zip' });
      const { offset } = openCheckpoint(file).tensors.get('body.0.weight') ?? { offset: 0 };
      const bytes = readFileSync(file);
      bytes[offset + at] = (bytes[offset + at] ?? 0) ^ 1;
      const damaged = scratch.write('damaged.pth', bytes);
      const refusal = refusalOf(() => checkWeights(openCheckpoint(damaged)));
      expect(refusal.kind).toBe('bad-crc');
      expect(refusal.message).toMatch(
        /^damaged\.pth: weights in it are damaged .*'archive\/data\/\d' .*download the file again$/,
      );
    },
  );

  it('does not miss checksums that the writer left out', () => {
    const file = written(tensors(), { format: 'pth-zip' });
    const dict = openCheckpoint(file);
    expect(dict.checksums).toHaveLength(3);
    const other = { ...dict, checksums: [] };
    expect(() => checkWeights(other)).not.toThrow();
    expect(openCheckpoint(written(tensors(), { format: 'safetensors' })).checksums).toEqual([]);
  });
});
