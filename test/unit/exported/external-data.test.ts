import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withDataBeside } from '../../../app/exported/external-data.ts';
import { readOnnxModel } from '../../../app/exported/onnx-model.ts';
import { ProtobufWriter } from '../../../app/onnx/protobuf.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalOf } from '../checkpoints/refusal.ts';

type Entries = Readonly<Record<string, string>>;
/** Of one dimension. */
interface Tensor {
  readonly name: string;
  readonly count: number;
  readonly elementCode?: number;
  /** Where its elements lie; else they are `bytes`. */
  readonly outside?: Entries;
  readonly bytes?: Uint8Array;
}

const MOST = 1 << 20;
const DATA = Buffer.from(Float32Array.from({ length: 300 }, (_, i) => i).buffer);

function modelOf(tensors: readonly Tensor[]): Buffer {
  const model = new ProtobufWriter().varint(1, 8);
  model.message(7, (graph) => {
    graph.message(1, (node) => node.string(1, 'x').string(2, 'y').string(4, 'Relu'));
    for (const tensor of tensors) graph.message(5, (t) => writeTensor(t, tensor));
    graph.message(11, (value) => value.string(1, 'x'));
  });
  model.message(8, (opset) => opset.string(1, '').varint(2, 17));
  return Buffer.from(model.finish());
}

function writeTensor(t: ProtobufWriter, { name, count, elementCode = 1, outside, bytes }: Tensor): void {
  t.varint(1, count).varint(2, elementCode).string(8, name);
  if (bytes) t.bytes(9, bytes);
  for (const [key, value] of Object.entries(outside ?? {}))
    t.message(13, (entry) => entry.string(1, key).string(2, value));
  if (outside) t.varint(14, 1);
}

describe('weights of an ONNX model in a file beside it', () => {
  let folder: TemporaryFolder;
  let models: string;
  let file: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    models = join(folder.path, 'models');
    file = join(models, 'a.onnx');
    mkdirSync(join(models, 'sub'), { recursive: true });
    for (const path of ['models/a.onnx.data', 'models/sub/b.data', 'secret.data', 'models/.hidden', 'models/locked']) {
      writeFileSync(join(folder.path, path), DATA);
    }
    chmodSync(join(models, 'locked'), 0);
    writeFileSync(file, '');
    symlinkSync('../secret.data', join(models, 'link.data'));
    symlinkSync('a.onnx.data', join(models, 'near.data'));
    symlinkSync('/dev/zero', join(models, 'zero.data'));
  });
  afterAll(() => folder.remove());

  const one = (outside: Entries, count = 300): Buffer => modelOf([{ name: 'w', count, outside }]);
  const refusal = (model: Buffer) => refusalOf(() => withDataBeside(model, file, MOST));

  it('comes into the model, as if it had been saved as one file', () => {
    const near = { location: 'a.onnx.data' };
    const split = modelOf([
      { name: 'first', count: 200, outside: { ...near, offset: '0', length: '800' } },
      { name: 'here', count: 1, bytes: DATA.subarray(4, 8) },
      { name: 'rest', count: 100, outside: { ...near, offset: '800' } },
      { name: 'bytes', count: 3, elementCode: 2, outside: { location: 'near.data', offset: '4', length: '3' } },
      { name: 'nothing', count: 0, outside: near },
    ]);
    const whole = modelOf([
      { name: 'first', count: 200, bytes: DATA.subarray(0, 800) },
      { name: 'here', count: 1, bytes: DATA.subarray(4, 8) },
      { name: 'rest', count: 100, bytes: DATA.subarray(800) },
      { name: 'bytes', count: 3, elementCode: 2, bytes: DATA.subarray(4, 7) },
      { name: 'nothing', count: 0, bytes: Buffer.alloc(0) },
    ]);
    const made = withDataBeside(split, file, MOST);
    expect(made.equals(whole)).toBe(true);
    expect(readOnnxModel(made)).toMatchObject({ tensors: 5, parameterCount: 304 });
    expect(withDataBeside(whole, file, MOST)).toBe(whole);
  });

  it('is found where links to both lie in another folder, as the caches of model hubs have them', () => {
    const cache = join(folder.path, 'cache');
    mkdirSync(cache);
    symlinkSync(file, join(cache, 'model.onnx'));
    symlinkSync(join(models, 'a.onnx.data'), join(cache, 'model.onnx_data'));
    const made = withDataBeside(one({ location: 'model.onnx_data' }), join(cache, 'model.onnx'), MOST);
    expect(made.equals(modelOf([{ name: 'w', count: 300, bytes: DATA }]))).toBe(true);
    rmSync(cache, { recursive: true });
  });

  it.each([
    '../secret.data',
    'sub/b.data',
    './a.onnx.data',
    '/etc/passwd',
    'sub\\b.data',
    'C:a.onnx.data',
    '\\\\host\\share',
    '.hidden',
    '..',
    '',
    'a.onnx.data\0.png',
    '*/_ORT_MEM_ADDR_/*',
    'link.data',
    'zero.data',
  ])('under the name %j is refused', (location) => {
    const { kind, message } = refusal(one({ location }));
    expect(kind).toBe('unsupported');
    expect(message).toMatch(/^the tensor w lies in '.*own folder only, under their plain names$/);
  });

  it('that is a folder, is not there or may not be read is told, without where it would lie', () => {
    expect(refusal(one({ location: 'sub' })).message).toMatch(/lies in 'sub': .*folder or a device/);
    const { message } = refusal(one({ location: 'gone.data' }));
    expect(message).toBe("the tensor w lies in 'gone.data': it is not there: put both files into one folder");
    if (process.getuid?.() !== 0) expect(refusal(one({ location: 'locked' })).message).toMatch(/cannot be opened/);
  });

  it.each<[Entries, number]>([
    [{ offset: '-4' }, 300],
    [{ offset: '1e3' }, 10],
    [{ offset: '99999999999999999999' }, 10],
    [{ length: '1200' }, 299],
    [{ length: '' }, 300],
    [{ length: 'all' }, 300],
  ])('with %j for %i elements is refused', (entries, count) => {
    const { kind, message } = refusal(one({ location: 'a.onnx.data', ...entries }, count));
    expect(kind).toBe('out-of-bounds');
    expect(message).toMatch(/^the tensor w has \d+ bytes; its file says '/);
  });

  it('that is shorter than what is taken from it is refused', () => {
    const { kind, message } = refusal(one({ location: 'a.onnx.data', offset: '4' }));
    expect(kind).toBe('truncated');
    expect(message).toMatch(/expected 1200 bytes at offset 4, but the file ends at 1200/);
  });

  it('may take no more than a model may have, though many tensors name the same bytes', () => {
    const near = { location: 'a.onnx.data' };
    const many = Array.from({ length: 1000 }, (_, i) => ({ name: `w${i}`, count: 300, outside: near }));
    expect(refusal(modelOf(many)).kind).toBe('too-large');
    expect(refusal(one(near, 2 ** 40)).kind).toBe('too-large');
  });

  it('of a kind or shape that no weight has is refused', () => {
    const outside = { location: 'a.onnx.data' };
    for (const wrong of [{ elementCode: 8 }, { elementCode: 99 }, { count: -1 }]) {
      const model = modelOf([{ name: 'w', count: 300, outside, ...wrong }]);
      expect(refusal(model).message).toBe('the tensor w is of a kind or shape that no weight has');
    }
  });

  it('is read through a hard link too, which is the file itself', () => {
    linkSync(join(models, 'a.onnx.data'), join(models, 'hard.data'));
    expect(withDataBeside(one({ location: 'hard.data' }), file, MOST).includes(DATA)).toBe(true);
  });
});
