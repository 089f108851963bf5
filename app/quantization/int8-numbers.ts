import type { ProtoInitializer } from '../onnx/model-proto.ts';
import type { ConvStep } from './dense-block.ts';
import type { HeadNumbers } from './head-numbers.ts';

/** All numbers by which the 8-bit form of a graph differs from the graph. */
export interface Int8Numbers {
  /** What every channel of the trunk is divided by. */
  readonly trunk: Float32Array;
  /** Steps of the dense blocks' inputs and outputs, in the order in which they run; times the trunk's scales, by channel. */
  readonly blocks: readonly { readonly input: number; readonly output: number }[];
  /** Of the head; missing where it stays float32. */
  readonly head?: HeadNumbers | undefined;
  /** The operands that take the place of a convolution's own: int8 weights [O, I, kh, kw], their scales [O], int32 biases [O]. */
  operands(conv: ConvStep): {
    readonly weight: ProtoInitializer;
    readonly scale: ProtoInitializer;
    readonly bias: ProtoInitializer;
  };
}

/** Where the tensors of an int8 form are read. */
export interface NumberSource {
  readonly weight: (name: string, shape: readonly number[]) => ProtoInitializer;
  readonly floats: (name: string) => Float32Array;
  readonly bytes: (name: string) => Uint8Array;
}
