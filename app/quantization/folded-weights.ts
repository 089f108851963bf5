import { GraphError } from '../onnx/errors.ts';
import type { ConvStep, DenseBlock } from './dense-block.ts';
import type { ErrorFeedback } from './error-feedback.ts';
import { TAPS } from './error-feedback.ts';
import type { BlockScales } from './scales.ts';

/** A convolution's numbers in C order: weights [O, I, kh, kw], biases [O]. */
export interface ConvNumbers {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** Of a kernel: kh * kw. */
  readonly taps: number;
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
  return { weight, bias: Float64Array.from(to, (scale, output) => (biases?.[output] ?? 0) / scale), taps };
}

/**
 * Rounds to bytes of at most `limit`, by output channel; each to the nearest, or, with feedback, so that errors make up for each other.
 * @param limit 127, or 63 where the CPU adds pairs of products in 16 bits: 2 * 255 * 63 is the most that they hold
 * @param feedback of the channels that the convolution reads, which may be the first of more
 */
export function roundWeights(numbers: ConvNumbers, limit: number, feedback?: ErrorFeedback): RoundedConv {
  const perOutput = numbers.weight.length / numbers.bias.length;
  const weight = new Int8Array(numbers.weight.length);
  const scale = new Float32Array(numbers.bias.length);
  const bias = new Int32Array(numbers.bias.length);
  const steps = new Float64Array(perOutput);
  numbers.bias.forEach((value, output) => {
    const [from, to] = [output * perOutput, (output + 1) * perOutput];
    const own = numbers.weight.subarray(from, to);
    const most = own.reduce((largest, one) => Math.max(largest, Math.abs(one)), 0);
    // Weights of next to nothing beside a bias must leave it room in its 32 bits.
    const step = Math.fround(Math.max(most / limit, Math.abs(value) / MAX_BIAS, MIN_STEP));
    own.forEach((one, at) => (steps[at] = one / step));
    const bytes = weight.subarray(from, to);
    const missing = feedback
      ? roundTogether(steps, bytes, { limit, feedback, taps: numbers.taps })
      : roundNearest(steps, bytes, limit);
    scale[output] = step;
    bias[output] = Math.round(value / step + missing);
  });
  return { weight, scale, bias };
}

function roundNearest(steps: Float64Array, bytes: Int8Array, limit: number): number {
  for (let at = 0; at < steps.length; at++) bytes[at] = within(steps[at] ?? 0, limit);
  return 0;
}

interface Together {
  readonly limit: number;
  readonly feedback: ErrorFeedback;
  /** Of a kernel: all nine, or the first of them, whole rows. */
  readonly taps: number;
}

/** @returns what the rounded weights lack on average, in their steps */
function roundTogether(steps: Float64Array, bytes: Int8Array, { limit, feedback, taps }: Together): number {
  const errors = new Float64Array(taps);
  let missing = 0;
  for (let channel = 0; channel * taps < steps.length; channel++) {
    let error = 0;
    for (let tap = taps - 1; tap >= 0; tap--) {
      const wanted = steps[channel * taps + tap] ?? 0;
      let owed = 0;
      for (let later = tap + 1; later < taps; later++) {
        owed += (feedback.taps[tap * TAPS + later] ?? 0) * (errors[later] ?? 0);
      }
      const byte = within(wanted + owed, limit);
      bytes[channel * taps + tap] = byte;
      errors[tap] = wanted - byte;
      error += wanted - byte;
    }
    missing += error * (feedback.means[channel] ?? 0);
  }
  return missing;
}

function within(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, Math.round(value)));
}

/** The convolutions of a block. */
export function convsOf({ steps }: DenseBlock): ConvStep[] {
  return steps.flatMap((step) => (step.kind === 'conv' ? [step] : []));
}
