import { ftruncateSync, openSync, closeSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteCursor } from '../../../app/checkpoints/byte-cursor.ts';
import { CheckpointError } from '../../../app/checkpoints/errors.ts';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { unpickle } from '../../../app/checkpoints/pickle/pickle.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import type { StateDict } from '../../../app/checkpoints/state-dict.ts';
import { DTYPE_BYTES } from '../../../app/checkpoints/state-dict.ts';
import { resolveTorchGlobal } from '../../../app/checkpoints/pickle/torch-globals.ts';
import { scratchFolder } from './scratch-folder.ts';

const READERS = fileURLToPath(new URL('../../fixtures/readers/', import.meta.url));
const SEEDS = readdirSync(READERS)
  .filter((name) => name.startsWith('ok_'))
  .map((name) => ({ name, bytes: readFileSync(READERS + name) }));
/** Without checksums, so that a changed pickle reaches the interpreter. */
const UNCHECKED = SEEDS.filter(({ name }) => /legacy|without_crc|safetensors/.test(name));

const scratch = scratchFolder();

/** A place between the start (0) and the end (1) of a file, and what happens there. */
type Mutation = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (bytes: Buffer, where: number) => Math.floor(where * bytes.length);

const setByte = fc.tuple(place, fc.nat(255)).map(([where, value]): Mutation => {
  return (bytes) => {
    if (bytes.length > 0) bytes[at(bytes, where)] = value;
    return bytes;
  };
});
const setWord = fc
  .tuple(place, fc.constantFrom(0, 1, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff))
  .map(([where, value]): Mutation => (bytes) => {
    if (bytes.length >= 4) bytes.writeUInt32LE(value, Math.min(at(bytes, where), bytes.length - 4));
    return bytes;
  });
const truncate = place.map(
  (where): Mutation =>
    (bytes) =>
      bytes.subarray(0, at(bytes, where)),
);
const cut = fc.tuple(place, fc.nat(64)).map(
  ([where, length]): Mutation =>
    (bytes) =>
      Buffer.concat([bytes.subarray(0, at(bytes, where)), bytes.subarray(at(bytes, where) + length)]),
);
const repeat = fc.tuple(place, fc.nat(64)).map(([where, length]): Mutation => (bytes) => {
  const from = at(bytes, where);
  return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
});
const zero = fc.tuple(place, fc.nat(512)).map(
  ([where, length]): Mutation =>
    (bytes) =>
      bytes.fill(0, at(bytes, where), Math.min(bytes.length, at(bytes, where) + length)),
);
const mutations = fc.array(fc.oneof(setByte, setByte, setWord, truncate, cut, repeat, zero), {
  minLength: 1,
  maxLength: 4,
});

const mutant = scratch.path('mutant');
const descriptor = openSync(mutant, 'w');
afterAll(() => closeSync(descriptor));

/** Opens the bytes; a CheckpointError is an answer as well. */
function open(bytes: Uint8Array): StateDict | undefined {
  // Overwritten in place: thousands of new files would wait for the disk.
  writeSync(descriptor, bytes, 0, bytes.length, 0);
  ftruncateSync(descriptor, bytes.length);
  try {
    return openCheckpoint(mutant);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** Whatever was read lies in the file, and can be fetched. */
function expectInBounds(dict: StateDict, size: number): void {
  for (const [name, { shape, strides, dtype, offset }] of dict.tensors) {
    const count = shape.reduce((product, n) => product * n, 1);
    const last = count === 0 ? -1 : shape.reduce((sum, n, d) => sum + (n - 1) * (strides[d] ?? NaN), 0);
    const end = offset + (last + 1) * DTYPE_BYTES[dtype];
    if (!(offset >= 0 && end <= size)) throw new Error(`${name} ends at ${end} of ${size}`);
  }
  const [name] = dict.tensors.keys();
  if (name !== undefined) readTensor(dict, name);
}

function fuzz(seeds: typeof SEEDS, numRuns: number): number {
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...seeds), mutations, (seed, changes) => {
      const bytes = changes.reduce<Buffer>((current, change) => change(current), Buffer.from(seed.bytes));
      const dict = open(bytes);
      if (dict === undefined) return;
      read += 1;
      expectInBounds(dict, bytes.length);
    }),
    { numRuns },
  );
  return read;
}

describe('a checkpoint with changed bytes', () => {
  it('is read within its bounds or refused, never anything else', () => {
    expect(fuzz(SEEDS, 5000)).toBeGreaterThan(0);
  });

  it('is so where no checksum stands before the interpreter', () => {
    expect(fuzz(UNCHECKED, 5000)).toBeGreaterThan(0);
  });
});

/** Those without an argument, STOP left out. */
const PLAIN_OPCODES = '()]}NQRabestu\u0081\u0085\u0086\u0087\u0088\u0089\u008f\u0090\u0093\u0094';

describe('a pickle of random but well-formed opcodes', () => {
  const text = (code: string) => Buffer.from(code, 'latin1');
  const opcode = fc.oneof(
    fc.constantFrom(...Buffer.from(PLAIN_OPCODES, 'latin1')).map((code) => Buffer.from([code])),
    fc.nat(255).map((n) => Buffer.from([0x4b, n])),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => {
      const bytes = Buffer.from([0x4a, 0, 0, 0, 0]);
      bytes.writeInt32LE(n, 1);
      return bytes;
    }),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.concat([Buffer.from([0x8a, bytes.length]), bytes])),
    fc.nat(8).map((n) => Buffer.from([0x71, n])),
    fc.nat(8).map((n) => Buffer.from([0x68, n])),
    fc.constantFrom('storage', '__proto__', 'w', '0', 'torch', 'FloatStorage').map((s) => {
      return Buffer.concat([Buffer.from([0x8c, s.length]), Buffer.from(s)]);
    }),
    fc
      .constantFrom('torch\nFloatStorage', 'torch._utils\n_rebuild_tensor_v2', 'collections\nOrderedDict', 'os\nsystem')
      .map((name) => text(`c${name}\n`)),
  );

  it('is read as data or refused, never anything else', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(opcode, { maxLength: 60 }), (opcodes) => {
        const bytes = Buffer.concat([Buffer.from([0x80, 2]), ...opcodes, text('.')]);
        try {
          const cursor = new ByteCursor((offset, length) => bytes.subarray(offset, offset + length), 0, bytes.length);
          unpickle(cursor, resolveTorchGlobal);
          read += 1;
        } catch (error) {
          if (!(error instanceof CheckpointError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(100);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
