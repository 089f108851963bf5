import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ByteFile } from '../../app/checkpoints/byte-file.ts';
import { CheckpointError } from '../../app/checkpoints/errors.ts';
import { detectFormat } from '../../app/checkpoints/file-kind.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { PickleValue } from '../../app/checkpoints/pickle/pickle-values.ts';
import { PickleTuple } from '../../app/checkpoints/pickle/pickle-values.ts';
import { readPthLegacy } from '../../app/checkpoints/pth-legacy.ts';
import { readPthZip } from '../../app/checkpoints/pth-zip.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import type { StateDict, TensorInfo } from '../../app/checkpoints/state-dict.ts';
import { tensorFromPickle } from '../../app/checkpoints/pickle/tensors-from-pickle.ts';

/** What torch reads from each file (test/fixtures/readers, written by torch itself and by hand). */
interface Row {
  readonly file: string;
  readonly outcome: 'ok' | 'either' | 'error';
  readonly format?: 'zip' | 'legacy' | 'safetensors';
  readonly state_dict_path?: readonly string[];
  readonly strip_prefix?: string;
  readonly tensors?: readonly ExpectedTensor[];
  readonly errors?: readonly string[];
}

interface ExpectedTensor {
  readonly path: readonly (string | number)[];
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sha256: string;
  readonly data_offset?: number;
}

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const ROWS = JSON.parse(readFileSync(`${FIXTURES}readers/index.json`, 'utf8')) as Row[];
const FORMATS = { zip: 'pth-zip', legacy: 'pth-legacy', safetensors: 'safetensors' };

const rowsWith = (outcome: Row['outcome']): [string, Row][] =>
  ROWS.filter((row) => row.outcome === outcome).map((row) => [row.file.replace('readers/', ''), row]);

/** Name, shape, type, values and place; the place only where the index gives one. */
function describeTensor(dict: StateDict, name: string, tensor: TensorInfo, wanted: ExpectedTensor | undefined) {
  const values = readTensor(dict, name);
  const sha256 = createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
  const place = wanted?.data_offset === undefined ? {} : { data_offset: tensor.offset };
  return { shape: tensor.shape, dtype: tensor.dtype, sha256, ...place };
}

/** What `describeTensor` has to give. */
function wantedOf({ shape, dtype, sha256, data_offset }: ExpectedTensor) {
  return data_offset === undefined ? { shape, dtype, sha256 } : { shape, dtype, sha256, data_offset };
}

function expectStateDict(dict: StateDict, row: Row): void {
  const root = row.state_dict_path ?? [];
  const wanted = new Map<string, ExpectedTensor>();
  for (const tensor of row.tensors ?? []) {
    const isInside = tensor.path.length === root.length + 1 && root.every((key, i) => tensor.path[i] === key);
    if (isInside) wanted.set(String(tensor.path.at(-1)).slice(row.strip_prefix?.length ?? 0), tensor);
  }
  const got = [...dict.tensors].map(([name, tensor]) => [name, describeTensor(dict, name, tensor, wanted.get(name))]);
  expect(dict.root).toEqual(root);
  if (row.format !== undefined) expect(dict.format).toBe(FORMATS[row.format]);
  expect(Object.fromEntries(got)).toEqual(
    Object.fromEntries([...wanted].map(([name, tensor]) => [name, wantedOf(tensor)])),
  );
  // A safetensors file has an order of its own.
  if (row.format !== 'safetensors') expect([...dict.tensors.keys()]).toEqual([...wanted.keys()]);
}

/** Every tensor of a pickle, wherever it stands, under its path. */
function tensorsByPath(path: string): Map<string, TensorInfo> {
  return ByteFile.with(path, (file) => {
    const { tree, storages } = detectFormat(file) === 'pth-zip' ? readPthZip(file) : readPthLegacy(file);
    const found = new Map<string, TensorInfo>();
    const visit = (value: PickleValue, at: readonly PickleValue[]): void => {
      const tensor = tensorFromPickle(value, storages);
      if (tensor !== undefined) found.set(JSON.stringify(at), tensor);
      else if (value instanceof Map) for (const [key, item] of value) visit(item, [...at, key]);
      else if (Array.isArray(value)) value.forEach((item, i) => visit(item, [...at, i]));
      else if (value instanceof PickleTuple) value.items.forEach((item, i) => visit(item, [...at, i]));
    };
    visit(tree, []);
    return found;
  });
}

function refusalOf(path: string): CheckpointError {
  try {
    openCheckpoint(path);
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error(`${path} was read, and should have been refused`);
}

describe('good checkpoints', () => {
  it.each(rowsWith('ok'))('%s is read as torch reads it', (_name, row) => {
    expectStateDict(openCheckpoint(FIXTURES + row.file), row);
  });

  const pickled = rowsWith('ok').filter(([, row]) => row.format !== 'safetensors');
  it.each(pickled)('%s shows every tensor of its pickle, those beside the weights included', (_name, row) => {
    const file = FIXTURES + row.file;
    const found = tensorsByPath(file);
    expect([...found.keys()]).toEqual(row.tensors?.map(({ path }) => JSON.stringify(path)));
    for (const wanted of row.tensors ?? []) {
      const name = JSON.stringify(wanted.path);
      const tensor = found.get(name);
      if (tensor === undefined) throw new Error(name);
      const dict: StateDict = { file, format: 'pth-zip', root: [], leftOut: [], tensors: found };
      expect({ name, ...describeTensor(dict, name, tensor, wanted) }).toEqual({ name, ...wantedOf(wanted) });
    }
  });
});

describe('hostile and broken checkpoints', () => {
  it.each(rowsWith('error'))('%s is refused, soon and without taking memory', (_name, row) => {
    const memory = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = memory();
    const start = process.cpuUsage();
    const refusal = refusalOf(FIXTURES + row.file);
    expect(process.cpuUsage(start).user).toBeLessThan(2e6);
    expect(memory() - before).toBeLessThan(32 << 20);
    expect(row.errors).toContain(refusal.kind);
    expect(refusal).toMatchObject({ code: 'ERR_BAD_CHECKPOINT', name: 'CheckpointError' });
    expect(refusal.message).toContain(basename(row.file));
  });

  it.each(rowsWith('either'))('%s is read exactly or refused', (_name, row) => {
    let dict: StateDict;
    try {
      dict = openCheckpoint(FIXTURES + row.file);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      expect(row.errors).toContain(error.kind);
      return;
    }
    expectStateDict(dict, row);
  });

  it('leave Object.prototype as it was', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    for (const { file } of ROWS) {
      try {
        openCheckpoint(FIXTURES + file);
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
      }
    }
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the reader', () => {
  it('has nothing at hand that could run code or reach a network', () => {
    const folder = fileURLToPath(new URL('../../app/checkpoints/', import.meta.url));
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const sources = names.map((name) => readFileSync(folder + name, 'utf8'));
    const imported = sources.flatMap((source) => [...source.matchAll(/from '([^'.][^']*)'/g)].map((match) => match[1]));
    expect([...new Set(imported)].sort()).toEqual(['node:fs', 'node:path', 'node:zlib']);
    expect(sources.join('\n')).not.toMatch(/\b(eval|Function|import|require)\(/);
  });
});
