import type { ProtoInitializer } from '../onnx/model-proto.ts';

/** What takes the place of a convolution's own numbers: weights, their scales, and biases. */
export interface HeadOperands {
  readonly weight: ProtoInitializer;
  readonly scale: ProtoInitializer;
  readonly bias: ProtoInitializer;
}

/** All numbers of a head in 8 bits. */
export interface HeadNumbers {
  /** What each channel of its input is divided by. */
  readonly input: Float32Array;
  /** The bytes that stand for nothing: of its input, and of what each convolution but the last makes. */
  readonly zeros: readonly number[];
  /** Of each convolution but the last: one, or two where it enlarges. */
  readonly convs: readonly (readonly HeadOperands[])[];
  /** Weights [channels of the features, taps * channels of the picture], scales and biases in float32. */
  readonly last: HeadOperands;
}

/** The name of a convolution's numbers in an int8 form. @param row of those that enlarge, 0 or 1 */
export function headName(index: number, row: number): string {
  return `${HEAD}${index}.${row}`;
}

/** What the names of a head's tensors begin with. */
export const HEAD = 'int8.head.';
export const HEAD_INPUT = `${HEAD}input`;
/** Float32 [values]: the bytes that stand for nothing. */
export const HEAD_ZEROS = `${HEAD}zeros`;
export const HEAD_LAST = `${HEAD}last`;
