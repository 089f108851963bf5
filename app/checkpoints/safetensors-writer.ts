import { SAFETENSORS_DTYPES } from './safetensors.ts';
import type { DType } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import { elementCount } from './tensor-layout.ts';
import { writeChunks } from './write-chunks.ts';

/** A tensor in memory: elements of `dtype` in C order, little-endian. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: NodeJS.ArrayBufferView;
}

const NAME_OF_DTYPE: ReadonlyMap<DType, string> = new Map(
  [...SAFETENSORS_DTYPES].map(([name, dtype]) => [dtype, name]),
);

const HEADER_ALIGNMENT = 8;

/**
 * Writes tensors as a `.safetensors` file, replacing `file`.
 * @param metadata texts by name, which the header carries beside the tensors
 * @throws RangeError where a shape and its data differ in length.
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, TensorData>,
  metadata?: Readonly<Record<string, string>>,
): void {
  // Wide elements first, so that every tensor is aligned to its own element size.
  const ordered = [...tensors].sort(([, a], [, b]) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
  let offset = 0;
  const entries = ordered.map(([name, { shape, dtype, data }]) => {
    if (elementCount(shape) * DTYPE_BYTES[dtype] !== data.byteLength) {
      throw new RangeError(`${name}: a shape of [${shape.join(', ')}] for ${data.byteLength} bytes of ${dtype}`);
    }
    const begin = offset;
    offset += data.byteLength;
    const entry = { dtype: NAME_OF_DTYPE.get(dtype), shape, data_offsets: [begin, offset] };
    // Joined by hand: an object would treat a tensor called __proto__ in its own way.
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  if (metadata) entries.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const chunks = ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  writeChunks(file, [headerOf(`{${entries.join(',')}}`), ...chunks]);
}

/** The header's length and text, filled up with spaces so that the data is aligned. */
function headerOf(json: string): Buffer {
  const text = Buffer.from(json);
  const length = Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const out = Buffer.alloc(8 + length, ' ');
  out.writeBigUInt64LE(BigInt(length), 0);
  text.copy(out, 8);
  return out;
}
