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
