import { chain } from '../onnx/chain.ts';
import { normedConv } from '../onnx/normalization.ts';
import type { Value } from '../onnx/value.ts';
import type { Weights } from '../onnx/weights.ts';

/**
 * One stage of a ResNet (`layer1` to `layer4` of torchvision's), of basic blocks or bottlenecks as its weights are; the first
 * block does the stage's `stride` (1 in the first stage, 2 in the others). Reference: torchvision/models/resnet.py.
 */
export function resnetStage(x: Value, blocks: readonly Weights[], stride: 1 | 2): Value {
  const convolve = blocks[0]?.has('conv3') ? bottleneck : basicBlock;
  return chain(x, blocks, (y, block, index) => {
    const step = index === 0 ? stride : 1;
    const residual = convolve(y, block, step);
    return residual.add(shortcut(y, block, step)).relu();
  });
}

function basicBlock(x: Value, weights: Weights, stride: number): Value {
  const first = normedConv(x, weights.at('conv1'), weights.at('bn1'), { stride }).relu();
  return normedConv(first, weights.at('conv2'), weights.at('bn2'));
}

function bottleneck(x: Value, weights: Weights, stride: number): Value {
  const narrow = normedConv(x, weights.at('conv1'), weights.at('bn1')).relu();
  const spatial = normedConv(narrow, weights.at('conv2'), weights.at('bn2'), { stride }).relu();
  return normedConv(spatial, weights.at('conv3'), weights.at('bn3'));
}

function shortcut(x: Value, weights: Weights, stride: number): Value {
  if (!weights.has('downsample')) return x;
  return normedConv(x, weights.at('downsample.0'), weights.at('downsample.1'), { stride });
}
