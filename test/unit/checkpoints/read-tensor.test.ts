import { describe, expect, it } from '@jest/globals';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import type { DType, StateDict, TensorInfo } from '../../../app/checkpoints/state-dict.ts';
import { toBfloat, toHalf } from '../../support/checkpoints/checkpoint-writer.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();

/** One tensor over a file of `data`. */
function dictOf(data: NodeJS.ArrayBufferView, tensor: Partial<TensorInfo> & { dtype: DType }): StateDict {
  const file = scratch.write('data', new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const shape = tensor.shape ?? [];
  const info = { shape, strides: [1], offset: 0, isContiguous: false, isBigEndian: false, ...tensor };
  return { file, format: 'pth-zip', root: [], leftOut: [], tensors: new Map([['w', info]]) };
}

const read = (data: NodeJS.ArrayBufferView, tensor: Partial<TensorInfo> & { dtype: DType }) => [
  ...readTensor(dictOf(data, tensor), 'w'),
];

describe('readTensor', () => {
  it('reads all 65,536 halves and rounds none', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = readTensor(dictOf(bits, { dtype: 'float16', shape: [65536] }), 'w');
    const isNumber = (i: number) => (i & 0x7c00) !== 0x7c00 || (i & 0x3ff) === 0;
    bits.forEach((i) => {
      const value = values[i] ?? 0;
      if (!isNumber(i)) expect(value).toBeNaN();
      else if (toHalf(value) !== i) throw new Error(`${i} became ${value}, which is ${toHalf(value)}`);
    });
    expect([values[0x3c00], values[0x0001], values[0x7bff], values[0xfc00]]).toEqual([1, 2 ** -24, 65504, -Infinity]);
    expect(Object.is(values[0x8000], -0)).toBe(true);
  });

  it('reads bfloat16 as the upper half of a float32', () => {
    const bits = Uint16Array.from({ length: 0x7f80 }, (_, i) => i);
    const values = readTensor(dictOf(bits, { dtype: 'bfloat16', shape: [bits.length] }), 'w');
    expect(values.every((value, i) => toBfloat(value) === i)).toBe(true);
    expect(values[0x3fc0]).toBe(1.5);
  });

  it('rounds float64 to the nearest float32', () => {
    expect(read(Float64Array.of(1 / 3, 1e300), { dtype: 'float64', shape: [2] })).toEqual([
      Math.fround(1 / 3),
      Infinity,
    ]);
  });

  it.each<[DType, NodeJS.ArrayBufferView, number[]]>([
    ['int64', BigInt64Array.of(-5n, 2n ** 40n), [-5, 2 ** 40]],
    ['int32', Int32Array.of(-5, 70000), [-5, 70000]],
    ['int16', Int16Array.of(-5, 300), [-5, 300]],
    ['int8', Int8Array.of(-5, 127), [-5, 127]],
    ['uint8', Uint8Array.of(0, 255), [0, 255]],
    ['bool', Uint8Array.of(0, 2), [0, 1]],
    ['float32', Float32Array.of(0.1, -0), [Math.fround(0.1), -0]],
  ])('widens %s', (dtype, data, expected) => {
    expect(read(data, { dtype, shape: [2] })).toEqual(expected);
  });

  it('reads big-endian numbers', () => {
    const swapped = Buffer.from(Float32Array.of(1.5, -2).buffer).swap32();
    expect(read(swapped, { dtype: 'float32', shape: [2], isBigEndian: true })).toEqual([1.5, -2]);
  });

  it('follows strides into C order', () => {
    const grid = Float32Array.from({ length: 12 }, (_, i) => i);
    const view = (shape: number[], strides: number[], offset = 0) =>
      read(grid, { dtype: 'float32', shape, strides, offset: 4 * offset });
    expect(view([4, 3], [1, 4])).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect(view([2, 2], [4, 2], 5)).toEqual([5, 7, 9, 11]);
    expect(view([2, 3], [0, 1])).toEqual([0, 1, 2, 0, 1, 2]);
    expect(view([3, 2], [1, 1])).toEqual([0, 1, 1, 2, 2, 3]);
    expect(view([], [], 11)).toEqual([11]);
    expect(view([2, 0], [1, 1])).toEqual([]);
  });

  it('names the tensor that is missing, and the file', () => {
    const dict = dictOf(Uint8Array.of(1), { dtype: 'uint8' });
    const refusal = refusalOf(() => readTensor(dict, 'body.0.weight'));
    expect(refusal.message).toContain('body.0.weight');
    expect(refusal.message).toMatch(/^data: /);
  });

  it('refuses a file that has become shorter', () => {
    const dict = dictOf(new Float32Array(4), { dtype: 'float32', shape: [4], isContiguous: true });
    scratch.write('data', Buffer.alloc(8));
    expect(refusalOf(() => readTensor(dict, 'w')).kind).toBe('truncated');
  });
});
