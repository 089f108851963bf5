import { crc32 } from 'node:zlib';
import { ByteFile } from './byte-file.ts';
import { CheckpointError, quoted } from './errors.ts';
import { readTensor } from './read-tensor.ts';
import type { Checksum, DType, StateDict, TensorInfo } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import { elementCount } from './tensor-layout.ts';

/** Read at a time. */
const PIECE_BYTES = 1 << 20;

/** The exponent of a float, in the last 16 or 32 bits that tell a number from an infinity or a NaN: all ones in those. */
const EXPONENTS: Partial<Record<DType, { readonly words: 2 | 4; readonly mask: number; readonly every: number }>> = {
  float16: { words: 2, mask: 0x7c00, every: 1 },
  bfloat16: { words: 2, mask: 0x7f80, every: 1 },
  float32: { words: 4, mask: 0x7f800000, every: 1 },
  float64: { words: 4, mask: 0x7ff00000, every: 2 },
};

/**
 * Reads all weights of a checkpoint: whether they are as they were written, where the file has checksums (the CRC-32 of the
 * members of a zip), and whether they are numbers. Takes about a tenth of a second for 67 MB.
 * @throws CheckpointError `bad-crc`, or `not-finite` with the name of the tensor
 */
export function checkWeights(dict: StateDict): void {
  try {
    ByteFile.with(dict.file, (file) => {
      const buffer = Buffer.alloc(PIECE_BYTES);
      for (const checksum of dict.checksums ?? []) checkMember(file, checksum, buffer);
      for (const [name, tensor] of dict.tensors) {
        if (!isFinite(file, dict, { name, tensor, buffer })) throw notFinite(name);
      }
    });
  } catch (error) {
    throw error instanceof CheckpointError ? error.inFile(dict.file) : error;
  }
}

function checkMember(
  file: ByteFile,
  { name, offset, length, crc32: written }: Checksum,
  buffer: Buffer<ArrayBuffer>,
): void {
  let found = 0;
  for (const piece of pieces(file, offset, length, buffer)) found = crc32(piece, found);
  if (found === written) return;
  throw new CheckpointError(
    'bad-crc',
    `weights in it are damaged (${quoted(name)} has another checksum than it was written with): download the file again`,
  );
}

interface Examined {
  readonly name: string;
  readonly tensor: TensorInfo;
  readonly buffer: Buffer<ArrayBuffer>;
}

/** Whether all elements of a tensor are numbers; integers always are. */
function isFinite(file: ByteFile, dict: StateDict, { name, tensor, buffer }: Examined): boolean {
  const exponent = EXPONENTS[tensor.dtype];
  if (exponent === undefined) return true;
  if (!tensor.isContiguous) return readTensor(dict, name).every((value) => Number.isFinite(value));
  const { words, mask, every } = exponent;
  const length = elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
  for (const { buffer: bytes, byteOffset, byteLength } of pieces(file, tensor.offset, length, buffer)) {
    const Words = words === 2 ? Uint16Array : Uint32Array;
    if (hasOnes(new Words(bytes, byteOffset, byteLength / words), mask, every)) return false;
  }
  return true;
}

/** Whether all bits of `mask` are set in any of the words at `every - 1`, `2 every - 1` ...: the upper words of little-endian numbers. */
function hasOnes(values: Uint16Array | Uint32Array, mask: number, every: number): boolean {
  for (let i = every - 1; i < values.length; i += every) {
    if (((values[i] ?? 0) & mask) === mask) return true;
  }
  return false;
}

/** A range of the file, in pieces that are valid until the next is asked for. */
function* pieces(
  file: ByteFile,
  offset: number,
  length: number,
  buffer: Buffer<ArrayBuffer>,
): Generator<Buffer<ArrayBuffer>> {
  for (let done = 0; done < length; done += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, length - done));
    file.readInto(piece, offset + done);
    yield piece;
  }
}

function notFinite(name: string): CheckpointError {
  return new CheckpointError(
    'not-finite',
    `tensor ${quoted(name)} holds values that are not numbers (infinite or NaN): the training failed, or the file is damaged`,
  );
}
