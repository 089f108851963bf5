import { existsSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { readTensor } from '../checkpoints/read-tensor.ts';
import type { Setting } from '../checkpoints/settings.ts';
import type { StateDict, TensorInfo } from '../checkpoints/state-dict.ts';
import { DTYPE_BYTES } from '../checkpoints/state-dict.ts';
import { shownFile, shownName } from '../checkpoints/errors.ts';
import { isWeight } from '../checkpoints/unwrapping/unwrap-names.ts';
import { WeightsError } from './errors.ts';
import type { ElementType } from './model-proto.ts';
import { SortedNames } from './sorted-names.ts';

/** A tensor of the checkpoint as a graph's initializer wants it: bytes here, or where they lie in the checkpoint file. */
export interface WeightTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly length: number };
}

/** Values that take the place of the file's, by tensor name (float32, C order): how two checkpoints are blended. */
export type TensorValues = (name: string) => Float32Array | undefined;

interface Source {
  readonly dict: StateDict;
  readonly values: TensorValues;
  readonly read: Set<string>;
  readonly names: SortedNames;
  /** The checkpoint's own file name. */
  readonly location: string;
}

/**
 * A path into a state dict, as `cd` into a folder: `weights.at('body').at(3).at('rdb1')`. Every tensor that is taken is
 * noted, so that one which no layer ever took can be told (PyTorch's `strict=True`, and the proof of a right detection).
 */
export class Weights {
  readonly #source: Source;
  readonly #path: string;

  private constructor(source: Source, path: string) {
    this.#source = source;
    this.#path = path;
  }

  /** The root of `dict`. `values` may replace tensors of the file by others of the same shape. */
  static of(dict: StateDict, values: TensorValues = () => undefined): Weights {
    const names = SortedNames.of(dict.tensors);
    return new Weights({ dict, values, read: new Set(), names, location: ownName(dict.file) }, '');
  }

  /** What the checkpoint is called in messages. */
  get fileName(): string {
    return shownFile(this.#source.dict.file);
  }

  at(key: string | number): Weights {
    return new Weights(this.#source, this.#full(String(key)));
  }

  /** Whether a tensor of this name, or any tensor below it, exists. */
  has(key: string): boolean {
    const full = this.#full(key);
    const { dict, names } = this.#source;
    return dict.tensors.has(full) || names.hasBelow(full);
  }

  /** Whether all names in the file look like this. */
  isOnly(pattern: RegExp): boolean {
    return [...this.#source.dict.tensors.keys()].every((name) => pattern.test(name));
  }

  /** Whether any name in the file looks like this. */
  hasAny(pattern: RegExp): boolean {
    return [...this.#source.dict.tensors.keys()].some((name) => pattern.test(name));
  }

  /** What the file says of a parameter of its network; undefined where it says nothing. */
  setting(name: string): Setting | undefined {
    return this.#source.dict.settings?.get(name);
  }

  /** Whether the file has an entry of this name that is no tensor (Real-CUGAN's `pro`). */
  hasMark(key: string): boolean {
    return this.#source.dict.marks?.has(this.#full(key)) ?? false;
  }

  /** The numbers directly below `key` (`body.0`, `body.1`, ...), ascending. */
  indices(key: string): number[] {
    return this.#source.names.indicesBelow(this.#full(key));
  }

  /** The children `key.0`, `key.1`, ... in order. Numbers must follow one another: a gap is a missing block. */
  list(key: string): Weights[] {
    const indices = this.indices(key);
    indices.forEach((index, position) => {
      if (index !== position)
        throw new WeightsError(`${shownName(this.#full(`${key}.${position}`))}: missing in ${this.fileName}`);
    });
    return indices.map((index) => this.at(key).at(index));
  }

  /** A tensor's shape; looking does not count as reading it. */
  shape(key: string): readonly number[] {
    return this.#info(key).shape;
  }

  /** Size of one dimension of a tensor. */
  dim(key: string, axis: number): number {
    const shape = this.shape(key);
    const size = shape[axis];
    if (size === undefined) {
      throw new WeightsError(`${shownName(this.#full(key))}: shape [${shape.join(', ')}] has no dimension ${axis}`);
    }
    return size;
  }

  /** The numbers of a small tensor that says how the network is made; they count as read. */
  numbers(key: string): Float32Array {
    this.#info(key);
    const name = this.#full(key);
    this.#source.read.add(name);
    return this.#source.values(name) ?? readTensor(this.#source.dict, name);
  }

  /** Takes a tensor. `shape` is what the layer needs; null fits any size. */
  take(key: string, shape?: readonly (number | null)[]): WeightTensor {
    const info = this.#info(key);
    const name = this.#full(key);
    this.#source.read.add(name);
    if (info.shape.includes(0))
      throw new WeightsError(`${shownName(name)}: shape [${info.shape.join(', ')}] holds no numbers`);
    const fits =
      shape?.length === info.shape.length && shape.every((size, i) => size === null || size === info.shape[i]);
    if (shape !== undefined && !fits) {
      const wanted = shape.map((size) => size ?? '*').join(', ');
      const has = `expected shape [${wanted}], the file has [${info.shape.join(', ')}]`;
      throw new WeightsError(`${shownName(name)}: ${has}${this.#besideWeight(key)}`);
    }
    return { name, shape: info.shape, ...this.#data(name, info) };
  }

  /** The names of tensors that no layer took and that are no weights: counters, states of a training. */
  unreadCounters(): string[] {
    const { dict, read } = this.#source;
    return [...dict.tensors].filter(([name, info]) => !read.has(name) && !isWeight(name, info)).map(([name]) => name);
  }

  /** Fails with the names of the weights that no layer took, but for those that `ignores` knows to be none. */
  assertAllRead(ignores: (name: string) => boolean = () => false): void {
    const { dict, read } = this.#source;
    const unread = [...dict.tensors]
      .filter(([name, info]) => !read.has(name) && isWeight(name, info) && !ignores(name))
      .map(([name]) => name);
    if (unread.length === 0) return;
    const shown = unread.slice(0, 5).map(shownName).join(', ');
    const more = unread.length > 5 ? ` and ${unread.length - 5} more` : '';
    throw new WeightsError(`${this.fileName}: the network does not use ${shown}${more}; it may be another variant`);
  }

  /** The weight whose bias or statistics `key` is: what does not fit the other is not known. */
  #besideWeight(key: string): string {
    const weight = ['weight', 'weight_orig'].find(
      (own) => own !== key && this.#source.dict.tensors.has(this.#full(own)),
    );
    return weight === undefined ? '' : ` beside ${shownName(this.#full(weight))} of [${this.shape(weight).join(', ')}]`;
  }

  #data(name: string, info: TensorInfo): Pick<WeightTensor, 'type' | 'data'> {
    const replaced = this.#source.values(name);
    if (replaced) return { type: 'float32', data: bytesOf(replaced) };
    if (!info.isContiguous || info.isBigEndian) {
      return { type: 'float32', data: bytesOf(readTensor(this.#source.dict, name)) };
    }
    const length = info.shape.reduce((a, b) => a * b, 1) * DTYPE_BYTES[info.dtype];
    const { location } = this.#source;
    return { type: elementType(name, info), data: { location, offset: info.offset, length } };
  }

  #info(key: string): TensorInfo {
    const name = this.#full(key);
    const info = this.#source.dict.tensors.get(name);
    if (!info) throw new WeightsError(`${shownName(name)}: missing in ${this.fileName}`);
    return info;
  }

  #full(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}

/** Under which a file lies in its folder, links resolved: onnxruntime follows none out of the folder it is given. */
function ownName(file: string): string {
  return basename(existsSync(file) ? realpathSync(file) : file);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function elementType(name: string, info: TensorInfo): ElementType {
  if (info.dtype === 'int16') throw new WeightsError(`${shownName(name)}: 16-bit integers are no weights`);
  return info.dtype;
}
