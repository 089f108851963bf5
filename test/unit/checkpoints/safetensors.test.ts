import { describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();

function fileOf(header: string, data: Uint8Array, length = Buffer.byteLength(header)): string {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(length));
  return scratch.write('file.safetensors', Buffer.concat([head, Buffer.from(header), data]));
}

const W = '"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const DATA = Buffer.alloc(8);

describe('writeSafetensors', () => {
  const tensors = new Map<string, TensorData>([
    ['bytes', { shape: [3], dtype: 'uint8', data: Uint8Array.of(1, 2, 255) }],
    ['scalar', { shape: [], dtype: 'float32', data: Float32Array.of(2.5) }],
    ['empty', { shape: [0, 3], dtype: 'float32', data: new Float32Array(0) }],
    ['half', { shape: [1, 2], dtype: 'float16', data: Uint16Array.of(0x3c00, 0xc000) }],
    ['index', { shape: [2], dtype: 'int64', data: BigInt64Array.of(-1n, 2n ** 40n) }],
    ['__proto__', { shape: [1], dtype: 'bool', data: Uint8Array.of(1) }],
    ['a "quoted"\nname', { shape: [1], dtype: 'float64', data: Float64Array.of(0.1) }],
  ]);

  it('writes what openCheckpoint and readTensor read', () => {
    const file = scratch.path('written.safetensors');
    writeSafetensors(file, tensors);
    const dict = openCheckpoint(file);
    const got = [...dict.tensors].map(([name, { shape, dtype }]) => [name, shape, dtype, [...readTensor(dict, name)]]);
    expect(got.sort()).toEqual(
      [
        ['a "quoted"\nname', [1], 'float64', [Math.fround(0.1)]],
        ['__proto__', [1], 'bool', [1]],
        ['bytes', [3], 'uint8', [1, 2, 255]],
        ['empty', [0, 3], 'float32', []],
        ['half', [1, 2], 'float16', [1, -2]],
        ['index', [2], 'int64', [-1, 2 ** 40]],
        ['scalar', [], 'float32', [2.5]],
      ].sort(),
    );
  });

  it('aligns every tensor to its element size', () => {
    const file = scratch.path('aligned.safetensors');
    writeSafetensors(file, tensors);
    const { tensors: read } = openCheckpoint(file);
    expect((read.get('index')?.offset ?? 1) % 8).toBe(0);
    expect((read.get('scalar')?.offset ?? 1) % 4).toBe(0);
    expect((read.get('half')?.offset ?? 1) % 2).toBe(0);
  });

  it('refuses a shape that its data does not have', () => {
    const wrong = new Map<string, TensorData>([['w', { shape: [3], dtype: 'float32', data: new Float32Array(2) }]]);
    expect(() => writeSafetensors(scratch.path('wrong'), wrong)).toThrow(RangeError);
  });
});

describe('a .safetensors file', () => {
  it('may have metadata and spaces after its header', () => {
    const dict = openCheckpoint(fileOf(`{"__metadata__":{"format":"pt"},${W}}   \n`, DATA));
    expect([...dict.tensors.keys()]).toEqual(['w']);
    expect(dict).toMatchObject({ format: 'safetensors', root: [] });
  });

  it('loses a prefix that all names share', () => {
    expect([...openCheckpoint(fileOf(`{${W.replace('w', 'module.w')}}`, DATA)).tensors.keys()]).toEqual(['w']);
  });

  it.each([
    ['without a tensor', '{}', 'bad-header'],
    ['with an unknown field', `{${W.replace('}', ',"x":1}')}}`, 'bad-header'],
    ['without a shape', '{"w":{"dtype":"F32","data_offsets":[0,8]}}', 'bad-header'],
    ['with three offsets', `{${W.replace('[0,8]', '[0,8,9]')}}`, 'bad-header'],
    ['of an unknown type', `{${W.replace('F32', 'F8_E4M3')}}`, 'unsupported-dtype'],
    ['with bytes that belong to nothing', `{${W.replace('[2]', '[1]').replace('8]', '4]')}}`, 'bad-header'],
    ['with a tensor beyond its end', `{${W.replace('[2]', '[3]').replace('8]', '12]')}}`, 'truncated'],
    ['with the same name twice', `{${W},${W}}`, 'duplicate-entry'],
    ['with a size that doubles round', `{${W.replace('[2]', '[9007199254740993,0]')}}`, 'out-of-bounds'],
    ['that is not UTF-8', '{"\ud800":1}', 'bad-header'],
  ])('%s is refused', (_name, header, kind) => {
    expect(refusalOf(() => openCheckpoint(fileOf(header, DATA))).kind).toBe(kind);
  });

  it('with a header of 30 MB is refused before it is read', () => {
    const file = fileOf('{', Buffer.alloc(31 << 20, ' '), 30 << 20);
    expect(refusalOf(() => openCheckpoint(file)).kind).toBe('bad-header');
  });
});
