import { crc32 } from 'node:zlib';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import type { CheckpointFormat, DType } from '../../../app/checkpoints/state-dict.ts';
import { writeChunks } from '../../../app/checkpoints/write-chunks.ts';
import type { StoredTensor } from './pickler.ts';
import { Pickler, pickleTensor } from './pickler.ts';

export interface CheckpointLayout {
  readonly format: CheckpointFormat;
  /** The key that wraps the state dict (`params_ema`); none: the file is the state dict. A `.safetensors` has none. */
  readonly root?: string | null | undefined;
  /** Put before every name, as `nn.DataParallel` does with `module.`. */
  readonly prefix?: string;
  /** Names in the state dict of a `.pth` that hold no tensor but `True`. */
  readonly marks?: readonly string[];
  /** What float32 tensors are rounded to. */
  readonly floats?: 'float32' | 'float16' | 'bfloat16';
}

/** Writes a state dict as `torch.save` or safetensors would. */
export function writeCheckpoint(
  file: string,
  tensors: ReadonlyMap<string, TensorData>,
  { format, root, prefix = '', floats = 'float32', marks = [] }: CheckpointLayout,
): void {
  const named = new Map([...tensors].map(([name, tensor]) => [prefix + name, convertFloats(tensor, floats)]));
  if (format === 'safetensors') writeSafetensors(file, named);
  else writeChunks(file, (format === 'pth-zip' ? pthZip : pthLegacy)(named, { root: root ?? undefined, marks }));
}

function bytesOf({ data }: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

// ------------------------------------------------------------------------------------------------ numbers

function convertFloats(tensor: TensorData, dtype: DType): TensorData {
  if (tensor.dtype !== 'float32' || dtype === 'float32') return tensor;
  const { buffer, byteOffset, byteLength } = tensor.data;
  const values = new Float32Array(buffer, byteOffset, byteLength / 4);
  const convert = dtype === 'float16' ? toHalf : toBfloat;
  const data = new Uint16Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = convert(values[i] ?? 0);
  return { shape: tensor.shape, dtype, data };
}

// Looked up once: every use of a global is slow in Jest's sandbox.
const { abs, floor, log2 } = Math;

/** The nearest binary16, ties to even. */
export function toHalf(value: number): number {
  const sign = 1 / value < 0 || value < 0 ? 0x8000 : 0;
  const size = abs(value);
  if (size !== size) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24);
  const exponent = floor(log2(size));
  // A mantissa that rounds up to 2048 carries into the exponent, as it should.
  return sign | (((exponent + 14) << 10) + roundToEven(size / 2 ** (exponent - 10)));
}

const floatBits = new DataView(new ArrayBuffer(4));

/** The nearest bfloat16, ties to even. */
export function toBfloat(value: number): number {
  floatBits.setFloat32(0, value);
  const bits = floatBits.getUint32(0);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function roundToEven(value: number): number {
  const below = floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** What stands around the tensors. */
interface Surroundings {
  readonly root: string | undefined;
  readonly marks: readonly string[];
}

function pickleStateDict(stored: readonly StoredTensor[], { root, marks }: Surroundings, isLegacy: boolean): Buffer {
  const pickler = new Pickler();
  if (root !== undefined) pickler.op('}').put().string(root);
  pickler.emptyOrderedDict();
  const batch = 1000;
  for (let from = 0; from < stored.length; from += batch) {
    pickler.op('(');
    for (const entry of stored.slice(from, from + batch)) pickleTensor(pickler.string(entry.name), entry, isLegacy);
    pickler.op('u');
  }
  for (const mark of marks) pickler.string(mark).op('\u0088s');
  if (root !== undefined) pickler.op('s');
  return pickler.finish();
}

// ------------------------------------------------------------------------------------------------ zip (torch >= 1.6)

const ALIGNMENT = 64;
/** UTF-8 names; checksum and sizes in a descriptor after the data. */
const FLAGS = 0x0808;

function pthZip(tensors: ReadonlyMap<string, TensorData>, around: Surroundings): Iterable<Uint8Array> {
  const stored = [...tensors].map(([name, tensor], i) => ({ name, key: String(i), tensor }));
  return zipArchive([
    ['archive/data.pkl', pickleStateDict(stored, around, false)],
    ['archive/byteorder', Buffer.from('little')],
    ...stored.map(({ key, tensor }): ZipMember => [`archive/data/${key}`, bytesOf(tensor)]),
    ['archive/version', Buffer.from('3\n')],
    ['archive/.data/serialization_id', Buffer.from('0'.repeat(40))],
  ]);
}

export type ZipMember = readonly [name: string, contents: Uint8Array];

/** A zip archive as torch's writer lays it out: stored members whose data is aligned, and a zip64 end record. */
export function* zipArchive(members: readonly ZipMember[]): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, contents] of members) {
    const member = zipMember(Buffer.from(name), contents, at);
    directory.push(member.directoryEntry);
    yield member.header;
    yield contents;
    yield member.descriptor;
    at += member.header.length + contents.length + member.descriptor.length;
  }
  const entries = Buffer.concat(directory);
  yield entries;
  yield zipEnd(members.length, at, entries.length);
}

function zipMember(name: Buffer, contents: Uint8Array, at: number) {
  const crc = crc32(contents);
  // A private extra field fills the header up, so that the data is aligned.
  const padding = (2 * ALIGNMENT - ((at + 30 + name.length + 4) % ALIGNMENT)) % ALIGNMENT;
  const header = Buffer.alloc(30 + name.length + 4 + padding, 'Z');
  header.fill(0, 0, 30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(4 + padding, 28);
  name.copy(header, 30);
  header.write('FB', 30 + name.length);
  header.writeUInt16LE(padding, 32 + name.length);

  const descriptor = Buffer.alloc(16);
  [0x08074b50, crc, contents.length, contents.length].forEach((value, i) => descriptor.writeUInt32LE(value, 4 * i));

  const directoryEntry = Buffer.alloc(46 + name.length);
  directoryEntry.writeUInt32LE(0x02014b50, 0);
  directoryEntry.writeUInt16LE(FLAGS, 8);
  [crc, contents.length, contents.length].forEach((value, i) => directoryEntry.writeUInt32LE(value, 16 + 4 * i));
  directoryEntry.writeUInt16LE(name.length, 28);
  directoryEntry.writeUInt32LE(at, 42);
  name.copy(directoryEntry, 46);
  return { header, descriptor, directoryEntry };
}

function zipEnd(count: number, offset: number, size: number): Buffer {
  const out = Buffer.alloc(56 + 20 + 22);
  out.writeUInt32LE(0x06064b50, 0);
  const long = { 4: 44, 24: count, 32: count, 40: size, 48: offset };
  for (const [at, value] of Object.entries(long)) out.writeBigUInt64LE(BigInt(value), Number(at));
  out.writeUInt32LE(0x07064b50, 56);
  out.writeBigUInt64LE(BigInt(offset + size), 56 + 8);
  out.writeUInt32LE(1, 56 + 16);
  out.writeUInt32LE(0x06054b50, 76);
  out.writeUInt16LE(count, 76 + 8);
  out.writeUInt16LE(count, 76 + 10);
  out.writeUInt32LE(size, 76 + 12);
  out.writeUInt32LE(offset, 76 + 16);
  return out;
}

// ------------------------------------------------------------------------------------------------ before torch 1.6

function* pthLegacy(tensors: ReadonlyMap<string, TensorData>, around: Surroundings): Generator<Uint8Array> {
  // Keys are addresses; the file is in their order, which is not the dict's.
  const stored = [...tensors].map(([name, tensor], i) => ({ name, key: String(94_021_034_374_976 - 64 * i), tensor }));
  yield new Pickler().bigInteger(0x1950a86a20f9469cfc6cn).finish();
  yield new Pickler().integer(1001).finish();
  yield machinePickle();
  yield pickleStateDict(stored, around, true);
  const sorted = [...stored].sort((a, b) => (a.key < b.key ? -1 : 1));
  const keys = new Pickler().op(']').put().op('(');
  for (const { key } of sorted) keys.string(key);
  yield keys.op('e').finish();
  for (const { tensor } of sorted) {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(tensor.shape.reduce((product, size) => product * size, 1)));
    yield count;
    yield bytesOf(tensor);
  }
}

function machinePickle(): Buffer {
  const pickler = new Pickler().op('}').put().op('(').string('protocol_version').integer(1001);
  pickler.string('little_endian').op('\u0088').string('type_sizes').op('}').put().op('(');
  for (const [type, bytes] of Object.entries({ short: 2, int: 4, long: 4 })) pickler.string(type).integer(bytes);
  return pickler.op('uu').finish();
}
