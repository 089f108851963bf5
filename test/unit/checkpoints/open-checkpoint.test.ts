import { truncateSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeChunks } from '../../../app/checkpoints/write-chunks.ts';
import type { CheckpointLayout } from '../../support/checkpoints/checkpoint-writer.ts';
import { toBfloat, toHalf, writeCheckpoint, zipArchive } from '../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../support/checkpoints/hashed-weights.ts';
import { refusalOf } from './refusal.ts';
import { scratchFolder } from './scratch-folder.ts';

const scratch = scratchFolder();
const compact = buildManifestTensors(readManifest('compact_x4_super_ultra'));

const FORMATS = ['pth-zip', 'pth-legacy', 'safetensors'] as const;
const LAYOUTS = FORMATS.flatMap((format) =>
  (['float32', 'float16', 'bfloat16'] as const).flatMap((floats): CheckpointLayout[] => [
    { format, floats },
    { format, floats, root: 'params_ema', prefix: 'module.' },
  ]),
);

/** Bytes that this process has read of files; Linux only. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

describe('openCheckpoint', () => {
  it.each(LAYOUTS)('reads every value back from %j', (layout) => {
    const file = scratch.path('written');
    writeCheckpoint(file, compact, layout);
    const dict = openCheckpoint(file);
    const isWrapped = layout.root !== undefined && layout.format !== 'safetensors';
    expect(dict).toMatchObject({ file, format: layout.format, root: isWrapped ? ['params_ema'] : [] });
    expect([...dict.tensors.keys()]).toEqual([...compact.keys()]);
    for (const [name, { shape, data }] of compact) {
      expect(dict.tensors.get(name)).toMatchObject({ shape, dtype: layout.floats, isContiguous: true });
      const bits = { float32: Number, float16: toHalf, bfloat16: toBfloat }[layout.floats ?? 'float32'];
      const isEqual = readTensor(dict, name).every((value, i) => bits(value) === bits(Number(data[i])));
      if (!isEqual) throw new Error(name);
    }
  });

  it('keeps integer buffers beside the weights', () => {
    const tensors = new Map<string, TensorData>([
      ['bn.weight', { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) }],
      ['bn.num_batches_tracked', { shape: [], dtype: 'int64', data: BigInt64Array.of(7n) }],
    ]);
    for (const format of FORMATS) {
      writeCheckpoint(scratch.path('integers'), tensors, { format, root: 'params', floats: 'float16' });
      const dict = openCheckpoint(scratch.path('integers'));
      expect(dict.tensors.get('bn.num_batches_tracked')).toMatchObject({ shape: [], dtype: 'int64' });
      expect([...readTensor(dict, 'bn.num_batches_tracked')]).toEqual([7]);
    }
  });

  it.each(FORMATS)('opens 702 tensors in 67 MB as %s, reading none of them', (format) => {
    const file = scratch.path('large');
    writeCheckpoint(file, buildManifestTensors(readManifest('RealESRGAN_x4plus')), { format, root: 'params_ema' });
    const before = { memory: process.memoryUsage().arrayBuffers, read: bytesRead() };
    const dict = openCheckpoint(file);
    expect(bytesRead() - before.read).toBeLessThan(1 << 20);
    expect(process.memoryUsage().arrayBuffers - before.memory).toBeLessThan(4 << 20);
    expect(dict.tensors.size).toBe(702);
  });

  it('opens a file of 4 GB without reading it', () => {
    const bytes = 2 ** 32;
    const header = Buffer.from(`{"w":{"dtype":"F32","shape":[${bytes / 4}],"data_offsets":[0,${bytes}]}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = scratch.write('sparse', Buffer.concat([length, header]));
    truncateSync(file, 8 + header.length + bytes);
    const before = process.memoryUsage().arrayBuffers;
    expect(openCheckpoint(file).tensors.get('w')?.shape).toEqual([2 ** 30]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it('names the file, not where it lies, and the tensor in its errors', () => {
    const tensors = new Map<string, TensorData>([['w', { shape: [1], dtype: 'uint8', data: Uint8Array.of(1) }]]);
    writeCheckpoint(scratch.path('honest'), tensors, { format: 'pth-zip' });
    const text = readFileSync(scratch.path('honest'), 'latin1').replaceAll('archive/data/0', 'archive/data/9');
    const file = scratch.write('lying', Buffer.from(text, 'latin1'));
    expect(refusalOf(() => openCheckpoint(file))).toMatchObject({
      code: 'ERR_BAD_CHECKPOINT',
      kind: 'missing-storage',
      message: `lying: tensor 'w': the archive lacks storage '0'`,
    });
  });

  it.each([
    [
      'a release',
      ['release/README.txt', '__MACOSX/._4x.pth', 'release/4x_foo.pth'],
      /that holds 4x_foo\.pth: unpack it/,
    ],
    ['a model of Upscayl', ['x4.bin', 'x4.param'], /another format \(ncnn/],
    ['a file of NumPy', ['w.npy'], /NumPy/],
    ['a program', ['a/models/model.json', 'a/data/sample_inputs/model.pt'], /of torch\.export .*state_dict\(\)/],
  ])('says of %s in a zip archive what it holds', (_name, members, words) => {
    const file = scratch.path('release.pth');
    writeChunks(file, zipArchive(members.map((name): [string, Buffer] => [name, Buffer.from('x')])));
    expect(refusalOf(() => openCheckpoint(file)).message).toMatch(words);
  });

  it('says of compressed members how to store them', () => {
    const file = fileURLToPath(new URL('../../fixtures/readers/either_zip_deflated.pth', import.meta.url));
    expect(refusalOf(() => openCheckpoint(file)).message).toMatch(
      /^either_zip_deflated\.pth: 'archive\/data\.pkl' is compressed; torch\.save stores\. Unpack and pack it again without/,
    );
  });

  it.each([
    ['no data.pkl', [['a/version', '3\n']], 'not-a-checkpoint'],
    ['data.pkl too deep down', [['a/b/data.pkl', 'N']], 'not-a-checkpoint'],
    [
      'two of them',
      [
        ['a/data.pkl', 'N'],
        ['b/data.pkl', 'N'],
      ],
      'bad-zip',
    ],
    [
      'TorchScript constants',
      [
        ['a/data.pkl', 'N'],
        ['a/constants.pkl', 'N'],
      ],
      'torchscript',
    ],
    [
      'TorchScript code',
      [
        ['a/data.pkl', 'N'],
        ['a/code/m.py', ''],
      ],
      'torchscript',
    ],
    [
      'an unknown byte order',
      [
        ['a/data.pkl', '\u0080\u0002}.'],
        ['a/byteorder', 'middle'],
      ],
      'bad-zip',
    ],
    ['a pickle of nothing', [['a/data.pkl', '']], 'truncated'],
  ])('refuses an archive with %s', (_name, members, kind) => {
    const file = scratch.path('archive');
    const contents = members.map(([name = '', text = '']) => [name, Buffer.from(text, 'latin1')] as const);
    writeChunks(file, zipArchive(contents));
    expect(refusalOf(() => openCheckpoint(file)).kind).toBe(kind);
  });
});
