import { GraphError } from '../onnx/errors.ts';
import type { ConvStep, DenseBlock } from './dense-block.ts';
import type { BlockScales } from './scales.ts';

/** A convolution's numbers in C order: weights [O, I, kh, kw], biases [O]. */
export interface ConvNumbers {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** In steps; what products add to it fits beside it into 32 bits. */
const MAX_BIAS = 2 ** 30;
/** Of a channel of zeros; a float32 that can be divided by. */
const MIN_STEP = 1e-20;

/** A convolution whose weights are bytes: `scale[o] * weight[o, ...]`, and biases in the same steps. */
export interface RoundedConv {
  readonly weight: Int8Array;
  readonly scale: Float32Array;
  readonly bias: Int32Array;
}

/** Reads a tensor of the checkpoint. */
export type ReadWeights = (name: string) => Float32Array;

/**
 * The convolution between inputs that were divided by their scales and outputs that are to be: `W[o, i] s[i] / s[o]` and
 * `b[o] / s[o]`. Exact, also through Concat, since the convolution that reads a channel carries its scale; and through (leaky)
 * ReLU, since scales are above zero.
 */
export function foldScales(conv: ConvStep, { values }: BlockScales, read: ReadWeights): ConvNumbers {
  const [outputs = 0, inputs = 0, ...kernel] = conv.weight.shape;
  const taps = kernel.reduce((product, size) => product * size, 1);
  const [from, to] = [values.get(conv.input), values.get(conv.output)];
  if (from?.length !== inputs || to?.length !== outputs) {
    throw new GraphError(`${conv.weight.name}: ${from?.length ?? 0} scales for ${inputs} channels`);
  }
  const weight = Float64Array.from(read(conv.weight.name));
  for (let output = 0, at = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const factor = (from[input] ?? 0) / (to[output] ?? 1);
      for (const end = at + taps; at < end; at++) weight[at] = (weight[at] ?? 0) * factor;
    }
  }
  const biases = conv.bias && read(conv.bias.name);
  return { weight, bias: Float64Array.from(to, (scale, output) => (biases?.[output] ?? 0) / scale) };
}

/**
 * Rounds to bytes of at most `limit`, by output channel.
 * @param limit 127, or 63 where the CPU adds pairs of products in 16 bits: 2 * 255 * 63 is the most that they hold
 */
export function roundWeights({ weight, bias }: ConvNumbers, limit: number): RoundedConv {
  const perOutput = weight.length / bias.length;
  const rounded = new Int8Array(weight.length);
  const scale = new Float32Array(bias.length);
  for (let output = 0; output < bias.length; output++) {
    const [from, to] = [output * perOutput, (output + 1) * perOutput];
    let most = 0;
    for (let at = from; at < to; at++) most = Math.max(most, Math.abs(weight[at] ?? 0));
    // Weights of next to nothing beside a bias must leave it room in its 32 bits.
    const step = Math.fround(Math.max(most / limit, Math.abs(bias[output] ?? 0) / MAX_BIAS, MIN_STEP));
    for (let at = from; at < to; at++) {
      rounded[at] = Math.min(limit, Math.max(-limit, Math.round((weight[at] ?? 0) / step)));
    }
    scale[output] = step;
  }
  return {
    weight: rounded,
    scale,
    bias: Int32Array.from(bias, (value, output) => Math.round(value / (scale[output] ?? 1))),
  };
}

/** The convolutions of a block. */
export function convsOf({ steps }: DenseBlock): ConvStep[] {
  return steps.flatMap((step) => (step.kind === 'conv' ? [step] : []));
}
