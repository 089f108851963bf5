import { channelAttention } from '../../../onnx/channel-attention.ts';
import { conv1x1, conv3x3, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';

/** Of DIV2K; not in the files. */
const MEAN = [0.4488, 0.4371, 0.404];

/** Of `nn.LayerNorm`. */
export const LAYER_NORM_EPSILON = 1e-5;

/** The range of colours that a network works in: less the mean where there are three of them, and times `range`. */
export interface ColorRange {
  /** [N, C, H, W] in 0..1 to the network's range. */
  readonly enter: (picture: Value) => Value;
  /** And back. */
  readonly leave: (picture: Value) => Value;
}

/** @param range of a picture inside the network, which has 0..1 outside; not in the files */
export function colorRange(range: number): ColorRange {
  const mean = (picture: Value): Value => picture.graph.constant(MEAN, [1, 3, 1, 1]);
  const isColor = (picture: Value): boolean => picture.size(1) === MEAN.length;
  const scaled = (picture: Value, factor: number): Value => (factor === 1 ? picture : picture.scale(factor));
  return {
    enter: (picture) => scaled(isColor(picture) ? picture.subtract(mean(picture)) : picture, range),
    leave: (picture) => (isColor(picture) ? scaled(picture, 1 / range).add(mean(picture)) : scaled(picture, 1 / range)),
  };
}

/** The convolution behind a group of blocks, or three with a quarter of the channels between them (`1conv`, `3conv`). */
export function residualConv(x: Value, weights: Weights): Value {
  const features = x.size(1);
  if (!weights.has('0')) return conv3x3(x, weights, features);
  const narrow = conv3x3(x, weights.at(0)).leakyRelu(0.2);
  const between = conv1x1(narrow, weights.at(2)).leakyRelu(0.2);
  return conv3x3(between, weights.at(4), features);
}

/** fc1, GELU, fc2 over the last axis. */
export function mlp(x: Value, weights: Weights): Value {
  return linear(linear(x, weights.at('fc1')).gelu(), weights.at('fc2'));
}

/**
 * fc1, GELU, then the first half of the features times the second, which has a norm and a depthwise 3x3 convolution over the map; fc2.
 * @param x [N, H W, C]
 * @param map of which it takes the sides
 */
export function spatialGateMlp(x: Value, weights: Weights, map: Value): Value {
  const wide = linear(x, weights.at('fc1')).gelu();
  const half = wide.size(2) / 2;
  const gate = weights.at('sg');
  const normed = layerNorm(wide.slice(2, half, 2 * half), gate.at('norm'), LAYER_NORM_EPSILON);
  const gates = toTokens(depthwiseConv(toMap(normed, map), gate.at('conv')));
  return linear(wide.slice(2, 0, half).multiply(gates), weights.at('fc2'));
}

/**
 * fc1, GELU, to which is added the GELU of a depthwise convolution of it over the map; fc2 (ConvFFN).
 * @param x [N, H W, C]
 * @param map of which it takes the sides
 */
export function convFeedForward(x: Value, weights: Weights, map: Value): Value {
  const wide = linear(x, weights.at('fc1')).gelu();
  const near = toTokens(depthwiseConv(toMap(wide, map), weights.at('dwconv.depthwise_conv.0')).gelu());
  return linear(wide.add(near), weights.at('fc2'));
}

/** Two 3x3 convolutions with fewer channels between them, then attention to channels (CAB of HAT): [N, C, H, W] to the like. */
export function channelAttentionBlock(map: Value, weights: Weights): Value {
  const features = map.size(1);
  const convolved = conv3x3(conv3x3(map, weights.at('cab.0')).gelu(), weights.at('cab.2'), features);
  return channelAttention(convolved, weights.at('cab.3.attention.1'), weights.at('cab.3.attention.3'));
}
