import { ByteFile } from './byte-file.ts';
import { CheckpointError, shownFile } from './errors.ts';
import type { DType, StateDict, TensorInfo } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import { elementCount, lastElement } from './tensor-layout.ts';

const IS_LITTLE_ENDIAN_HOST = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type ReadElement = (bytes: DataView, at: number, isLittleEndian: boolean) => number;

/** Integers of more than 24 bits are rounded to the nearest float32, int64 beyond 2^53 by way of float64. */
const READERS: Readonly<Record<DType, ReadElement>> = {
  float64: (bytes, at, isLittleEndian) => bytes.getFloat64(at, isLittleEndian),
  float32: (bytes, at, isLittleEndian) => bytes.getFloat32(at, isLittleEndian),
  float16: (bytes, at, isLittleEndian) => halfToNumber(bytes.getUint16(at, isLittleEndian)),
  bfloat16: (bytes, at, isLittleEndian) => bfloatToNumber(bytes.getUint16(at, isLittleEndian)),
  int64: (bytes, at, isLittleEndian) => Number(bytes.getBigInt64(at, isLittleEndian)),
  int32: (bytes, at, isLittleEndian) => bytes.getInt32(at, isLittleEndian),
  int16: (bytes, at, isLittleEndian) => bytes.getInt16(at, isLittleEndian),
  int8: (bytes, at) => bytes.getInt8(at),
  uint8: (bytes, at) => bytes.getUint8(at),
  bool: (bytes, at) => (bytes.getUint8(at) === 0 ? 0 : 1),
};

/**
 * The values of one tensor in C order, as float32, whatever its element type, strides and byte order.
 * @throws CheckpointError where the file has no tensor of that name, or has become shorter.
 */
export function readTensor(dict: StateDict, name: string): Float32Array {
  const tensor = dict.tensors.get(name);
  if (tensor === undefined) {
    throw new CheckpointError(
      'missing-tensor',
      `${shownFile(dict.file)}: expected a tensor '${name}', the file has none`,
    );
  }
  try {
    return ByteFile.with(dict.file, (file) => readValues(file, tensor));
  } catch (error) {
    throw error instanceof CheckpointError ? error.inFile(dict.file) : error;
  }
}

function readValues(file: ByteFile, tensor: TensorInfo): Float32Array {
  const values = new Float32Array(elementCount(tensor.shape));
  if (values.length === 0) return values;
  if (tensor.isContiguous && tensor.dtype === 'float32' && IS_LITTLE_ENDIAN_HOST) {
    file.readInto(new Uint8Array(values.buffer), tensor.offset);
    return values;
  }
  const span = (lastElement(tensor.shape, tensor.strides) + 1) * DTYPE_BYTES[tensor.dtype];
  const bytes = file.read(tensor.offset, span);
  gather(new DataView(bytes.buffer, bytes.byteOffset, span), tensor, values);
  return values;
}

/** Walks the shape like an odometer: the last index runs fastest. */
function gather(bytes: DataView, tensor: TensorInfo, values: Float32Array): void {
  const { shape, strides, dtype, isBigEndian } = tensor;
  const read = READERS[dtype];
  const size = DTYPE_BYTES[dtype];
  const index = shape.map(() => 0);
  let element = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = read(bytes, element * size, !isBigEndian);
    for (let d = shape.length - 1; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1;
      const stride = strides[d] ?? 0;
      if (next < (shape[d] ?? 0)) {
        index[d] = next;
        element += stride;
        break;
      }
      index[d] = 0;
      element -= (next - 1) * stride;
    }
  }
}

/** IEEE 754 binary16: exact in float32. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const bfloatBits = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function bfloatToNumber(bits: number): number {
  bfloatBits.setUint16(0, bits);
  return bfloatBits.getFloat32(0);
}
