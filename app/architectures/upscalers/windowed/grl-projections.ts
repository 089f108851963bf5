import type { ConvOptions } from '../../../onnx/convolution.ts';
import { depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { averagePool } from '../../../onnx/pooling.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';

/** How a GRL makes anchors of pixels, under the reference's names. */
export type AnchorKind = 'avgpool' | 'patchmerging' | 'conv2d' | 'separable_conv';

/** What the keys of a network tell. Of pooling they do not tell whether it takes means, as published files do, or the largest. */
export function anchorKindOf(weights: Weights): AnchorKind {
  if (weights.hasAny(/\.anchor\.body\.0\.reduction\.bias$/)) return 'avgpool';
  if (weights.hasAny(/\.anchor\.body\.0\.reduction\.weight$/)) return 'patchmerging';
  return weights.hasAny(/\.anchor\.body\.0\.0\./) ? 'separable_conv' : 'conv2d';
}

/** Pixels along a side that an anchor stands for, by the keys of an `attn.anchor`; undefined where they do not tell. */
export function anchorDownFactorOf(weights: Weights, kind: AnchorKind): number | undefined {
  const stages = weights.list('body').length;
  if (kind === 'avgpool') return undefined;
  if (kind === 'patchmerging') return 2 ** stages;
  const kernel = weights.dim(kind === 'conv2d' ? 'body.0.weight' : 'body.0.0.weight', 2);
  return (kernel - 1) ** stages;
}

/**
 * Query, key and value of every pixel, beside one another: [N, H W, C] to [N, H W, 3 C].
 * @param weights of `attn.qkv.body`: a linear layer, or convolutions
 */
export function queriesKeysValues(x: Value, weights: Weights, { map, hasBias }: PixelMap): Value {
  if (!weights.has('0')) return linear(x, weights, { hasBias });
  return toTokens(separableConv(toMap(x, map), weights, { ...(!hasBias && { bias: false }) }));
}

/** A map of the picture's sides, and whether layers that make queries, keys and values have biases. */
interface PixelMap {
  readonly map: Value;
  readonly hasBias: boolean;
}

interface Anchors {
  readonly kind: AnchorKind;
  /** Pixels along a side that an anchor stands for. */
  readonly down: number;
}

/**
 * Anchors: [N, C, H, W] to [N, H W / down^2, C / 2].
 * @param weights of `attn.anchor`
 */
export function anchorsOf(map: Value, weights: Weights, { kind, down }: Anchors): Value {
  if (kind === 'avgpool') {
    const means = averagePool(map, { kernel: [down, down], stride: down });
    return linear(toTokens(means), weights.at('body.0.reduction'));
  }
  const stage = { patchmerging: merged, conv2d: convolved, separable_conv: separated }[kind];
  return toTokens(weights.list('body').reduce(stage, map));
}

/** 2 x 2 pixels made one, column by column. */
function merged(map: Value, weights: Weights): Value {
  const [n, features, height, width] = [map.size(0), map.size(1), map.size(2) / 2, map.size(3) / 2];
  const folded = map.reshape([n, features, height, 2, width, 2]).transpose([0, 2, 4, 5, 3, 1]);
  const reduced = linear(folded.reshape([n, height * width, 4 * features]), weights.at('reduction'), {
    hasBias: false,
  });
  return reduced.transpose([0, 2, 1]).reshape([n, reduced.size(2), height, width]);
}

/** A kernel is one pixel wider than its stride. */
function convolved(map: Value, weights: Weights): Value {
  return map.conv(weights, striding(weights.dim('weight', 2)));
}

function separated(map: Value, weights: Weights): Value {
  return separableConv(map, weights, striding(weights.dim('0.weight', 2)));
}

function striding(kernel: number): ConvOptions {
  return { stride: kernel - 1, padding: kernel >> 1 };
}

/** A depthwise convolution and a 1x1 behind it, with nothing between them. */
function separableConv(map: Value, weights: Weights, options: ConvOptions): Value {
  const { bias } = options;
  return depthwiseConv(map, weights.at(0), options).conv(weights.at(1), { ...(bias === false && { bias }) });
}
