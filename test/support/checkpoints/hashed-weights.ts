import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Deterministic pseudo-random weights in place of official ones. A manifest (test/fixtures/manifests) lists the tensors of an
 * official checkpoint; the values follow from their names, so that every implementation makes the same ones, bit by bit:
 *
 *     h = fnv1a32(utf8(name));  x = murmur3 finaliser of (i * 0x9E3779B1 + h + seed * 0x85EBCA6B);
 *     value = float32(low + (high - low) * (x >> 8) / 2^24)
 */
export interface Manifest {
  readonly architecture: string;
  /** The key that wraps the state dict in the official file; null where the file is the state dict. */
  readonly root: string | null;
  readonly seed: number;
  readonly format?: 'pth-zip' | 'pth-legacy';
  readonly expected: Readonly<Record<string, unknown>>;
  readonly tensors: readonly ManifestTensor[];
}

interface TensorHead {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int64' | 'uint8';
}

type Runs = readonly (readonly [count: number, item: number | Runs])[];

interface Affine {
  readonly dims: readonly number[];
  readonly coef: readonly number[];
  readonly offset: number;
}

type Filling =
  | { readonly low: number; readonly high: number }
  | { readonly const: number }
  | { readonly values: readonly number[] }
  | { readonly affine: Affine }
  | { readonly runs: Runs };

type ManifestTensor = TensorHead & Filling;

/** A tensor in memory, in C order. */
export interface BuiltTensor {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int64' | 'uint8';
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** The names of the manifests: published networks, among them those that match a pattern. */
export function publishedNetworks(pattern = ''): string[] {
  const names = readdirSync(fileURLToPath(new URL('../../fixtures/manifests', import.meta.url)));
  return names.map((file) => file.replace(/\.json$/, '')).filter((name) => new RegExp(pattern).test(name));
}

/** Reads `test/fixtures/manifests/NAME.json`. */
export function readManifest(name: string): Manifest {
  const url = new URL(`../../fixtures/manifests/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as Manifest;
}

/** The names of the small networks of other measures. */
export function variantNames(): string[] {
  const files = readdirSync(fileURLToPath(new URL('../../fixtures/variants', import.meta.url)));
  return files.filter((file) => file.endsWith('.json')).map((file) => file.replace(/\.json$/, ''));
}

/** Reads `test/fixtures/variants/NAME.json`. */
export function readVariant(name: string): Manifest {
  const url = new URL(`../../fixtures/variants/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as Manifest;
}

/** The same network with an eighth of the channels, where it has them by 32. */
export function narrowed(manifest: Manifest): Manifest {
  const narrow = (size: number): number => (size > 0 && size % 32 === 0 ? size / 8 : size);
  return { ...manifest, tensors: manifest.tensors.map((tensor) => ({ ...tensor, shape: tensor.shape.map(narrow) })) };
}

/** All tensors of a manifest, in its order. */
export function buildManifestTensors(manifest: Manifest): Map<string, BuiltTensor> {
  return new Map(
    manifest.tensors.map((tensor) => {
      const { name, shape, dtype } = tensor;
      return [name, { shape, dtype, data: buildData(tensor, manifest.seed) }];
    }),
  );
}

function buildData(tensor: ManifestTensor, seed: number): BuiltTensor['data'] {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  if ('low' in tensor) return hashedValues(tensor, count, seed);
  const values = listedValues(tensor, count);
  if (values.length !== count) throw new Error(`${tensor.name}: ${values.length} values for ${count} elements`);
  if (tensor.dtype === 'uint8') return Uint8Array.from(values);
  return tensor.dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
}

// Looked up once: every use of a global is slow in Jest's sandbox, and these are used 100 million times.
const { imul } = Math;

function hashedValues(tensor: TensorHead & { low: number; high: number }, count: number, seed: number): Float32Array {
  const { low, high } = tensor;
  const start = fnv1a32(tensor.name) + imul(seed, 0x85ebca6b);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (imul(i, 0x9e3779b1) + start) | 0;
    x = imul(x ^ (x >>> 16), 0x85ebca6b);
    x = imul(x ^ (x >>> 13), 0xc2b2ae35);
    out[i] = low + (high - low) * (((x ^ (x >>> 16)) >>> 8) / 2 ** 24);
  }
  return out;
}

function listedValues(tensor: Exclude<Filling, { low: number }>, count: number): Float64Array {
  if ('const' in tensor) return new Float64Array(count).fill(tensor.const);
  if ('values' in tensor) return Float64Array.from(tensor.values);
  return 'affine' in tensor ? affineValues(tensor.affine) : runValues(tensor.runs);
}

/** `offset + sum(coef[d] * k[d])` over the grid `dims`, last index fastest. */
function affineValues({ dims, coef, offset }: Affine): Float64Array {
  let values = Float64Array.of(offset);
  dims.forEach((size, d) => {
    const step = coef[d] ?? 0;
    const finer = new Float64Array(values.length * size);
    for (let i = 0; i < values.length; i++) {
      for (let k = 0; k < size; k++) finer[i * size + k] = (values[i] ?? 0) + step * k;
    }
    values = finer;
  });
  return values;
}

function runValues(runs: Runs): Float64Array {
  const values = new Float64Array(lengthOf(runs));
  writeRuns(values, runs, 0);
  return values;
}

function lengthOf(runs: Runs): number {
  return runs.reduce((sum, [count, item]) => sum + count * (typeof item === 'number' ? 1 : lengthOf(item)), 0);
}

/** @returns where the runs end */
function writeRuns(values: Float64Array, runs: Runs, from: number): number {
  let at = from;
  for (const [count, item] of runs) {
    const end = typeof item === 'number' ? at + 1 : writeRuns(values, item, at);
    if (typeof item === 'number') values[at] = item;
    at = repeat(values, at, end, count);
  }
  return at;
}

/** Writes what lies from `start` to `end` again after it, until it is there `count` times. @returns where the last of it ends */
function repeat(values: Float64Array, start: number, end: number, count: number): number {
  const last = start + (end - start) * count;
  for (let at = end; at < last; at += at - start) values.copyWithin(at, start, Math.min(at, start + last - at));
  return last;
}

function fnv1a32(text: string): number {
  return new TextEncoder().encode(text).reduce((hash, byte) => imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}
