import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { StateDict, TensorInfo } from '../../../app/checkpoints/state-dict.ts';
import { WeightsError } from '../../../app/onnx/errors.ts';
import type { WeightTensor } from '../../../app/onnx/weights.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const weightsOf = (shapes: Record<string, readonly number[]>) => Weights.of(shapeDict(new Map(Object.entries(shapes))));

describe('A path into a state dict', () => {
  const weights = weightsOf({
    'conv_first.weight': [8, 3, 3, 3],
    'body.0.conv.weight': [8, 8, 3, 3],
    'body.1.conv.weight': [8, 8, 3, 3],
    'body.10.conv.weight': [8, 8, 3, 3],
    'bodywork.7.weight': [1],
  });

  it('is walked as folders are', () => {
    expect(weights.at('body').at(10).dim('conv.weight', 2)).toBe(3);
    expect(weights.at('body').at(0).at('conv').shape('weight')).toEqual([8, 8, 3, 3]);
  });

  it('knows tensors and the folders above them, whole names only', () => {
    const known = ['conv_first.weight', 'conv_first', 'body', 'body.1', 'body.1.conv'].map((key) => weights.has(key));
    expect(known).toEqual([true, true, true, true, true]);
    const unknown = ['conv', 'body.', 'body.2', 'bod', 'conv_first.weight.x', ''].map((key) => weights.has(key));
    expect(unknown).toEqual([false, false, false, false, false, false]);
    expect(weights.at('body').has('1.conv')).toBe(true);
  });

  it('counts the numbers below a name as numbers', () => {
    expect(weights.indices('body')).toEqual([0, 1, 10]);
    expect(weights.indices('nothing')).toEqual([]);
  });

  it('lists children, and names the first that is missing', () => {
    expect(weightsOf({ 'a.0.x': [1], 'a.1.x': [1] }).list('a')).toHaveLength(2);
    expect(() => weights.list('body')).toThrow(new WeightsError('body.2: missing in shapes.pth'));
    expect(() => weightsOf({ 'a.99999999999999999999.x': [1] }).list('a')).toThrow('a.0: missing');
  });

  it('says what is missing and where', () => {
    expect(() => weights.at('body').at(3).at('conv').take('weight')).toThrow(
      new WeightsError('body.3.conv.weight: missing in shapes.pth'),
    );
    expect(() => weights.dim('bodywork.7.weight', 1)).toThrow('bodywork.7.weight: shape [1] has no dimension 1');
  });
});

describe('Taking a tensor', () => {
  const shapes = { 'a.weight': [8, 3, 3, 3], 'a.bias': [8], empty: [0, 3] };

  it.each([
    ['fits', [8, 3, 3, 3]],
    ['fits any size', [null, 3, null, 3]],
  ])('that %s gives its shape and where its bytes lie', (_, wanted) => {
    expect(weightsOf(shapes).at('a').take('weight', wanted)).toEqual({
      name: 'a.weight',
      type: 'float32',
      shape: [8, 3, 3, 3],
      data: { location: 'shapes.pth', offset: 64, length: 864 },
    });
  });

  it.each([
    ['size', [8, 4, 3, 3], 'a.weight: expected shape [8, 4, 3, 3], the file has [8, 3, 3, 3]'],
    ['rank', [null, 3], 'a.weight: expected shape [*, 3], the file has [8, 3, 3, 3]'],
  ])('of another %s says what was expected and what came', (_, wanted, message) => {
    expect(() => weightsOf(shapes).take('a.weight', wanted)).toThrow(new WeightsError(message));
  });

  it('without elements is an error', () => {
    expect(() => weightsOf(shapes).take('empty')).toThrow(new WeightsError('empty: shape [0, 3] holds no numbers'));
  });

  it('counts as reading it; looking does not', () => {
    const weights = weightsOf({ 'a.weight': [8], 'a.bias': [8], mean: [1], step: [1], 'a.num_batches_tracked': [] });
    weights.at('a').shape('bias');
    weights.at('a').take('weight');
    expect(() => weights.assertAllRead()).toThrow(/does not use a\.bias, mean;/);
    weights.at('a').take('bias');
    expect(() => weights.assertAllRead((name) => name === 'mean')).not.toThrow();
    expect(weights.unreadCounters()).toEqual(['step', 'a.num_batches_tracked']);
  });

  it('shows a few of many that are left over', () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`layer${i}`, [1]]));
    expect(() => weightsOf(many).assertAllRead()).toThrow(/layer0, layer1, layer2, layer3, layer4 and 4 more;/);
  });
});

describe('A tensor that onnxruntime cannot read where it lies', () => {
  let folder: TemporaryFolder;
  let dict: StateDict;
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);

  beforeEach(async () => {
    folder = await temporaryFolder();
    const file = join(folder.path, 'real-name.safetensors');
    writeCheckpoint(file, new Map([['w', { shape: [2, 3], dtype: 'float32', data: values }]]), {
      format: 'safetensors',
    });
    dict = openCheckpoint(file);
  });

  afterEach(() => folder.remove());

  /** `w` of the file, described otherwise. */
  function take(changes: Partial<TensorInfo>): WeightTensor {
    const info = dict.tensors.get('w');
    if (!info) throw new Error('no w');
    return Weights.of({ ...dict, tensors: new Map([['w', { ...info, ...changes }]]) }).take('w');
  }

  function floats({ data }: WeightTensor): number[] {
    if (!(data instanceof Uint8Array)) throw new Error('the bytes are in the file');
    return [...new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)];
  }

  it('is read in its order when it is a view', () => {
    const view = take({ shape: [3, 2], strides: [1, 3], isContiguous: false });
    expect([view.type, view.shape, floats(view)]).toEqual(['float32', [3, 2], [1, 4, 2, 5, 3, 6]]);
  });

  it('is turned round when it is big-endian', () => {
    const swapped = new DataView(Float32Array.of(1).buffer);
    swapped.setFloat32(0, 1, true);
    expect(floats(take({ isBigEndian: true, isContiguous: false }))[0]).toBe(swapped.getFloat32(0, false));
  });

  it('is refused when it holds 16-bit integers', () => {
    expect(() => take({ dtype: 'int16' })).toThrow(new WeightsError('w: 16-bit integers are no weights'));
  });

  it('gives way to values from elsewhere', () => {
    const halved = values.map((value) => value / 2);
    const taken = Weights.of(dict, (name) => (name === 'w' ? halved : undefined)).take('w');
    expect([taken.type, floats(taken)]).toEqual(['float32', [...halved]]);
  });

  it('is looked for under the own name of a file that was opened by a link', () => {
    const link = join(folder.path, 'link.pth');
    symlinkSync(join(folder.path, 'real-name.safetensors'), link);
    const { data } = Weights.of(openCheckpoint(link)).take('w');
    expect(data).toMatchObject({ location: 'real-name.safetensors', length: 24 });
  });
});
