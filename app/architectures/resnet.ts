import { batchNorm } from '../onnx/normalization.ts';
import type { Value } from '../onnx/value.ts';
import type { Weights } from '../onnx/weights.ts';

/**
 * One stage of a ResNet (`layer1` to `layer4` of torchvision's), of basic blocks or bottlenecks as its weights are; the first
 * block does the stage's `stride` (1 in the first stage, 2 in the others). Reference: torchvision/models/resnet.py.
 */
export function resnetStage(x: Value, blocks: readonly Weights[], stride: 1 | 2): Value {
  return blocks.reduce((y, block, index) => {
    const step = index === 0 ? stride : 1;
    const residual = block.has('conv3.weight') ? bottleneck(y, block, step) : basicBlock(y, block, step);
    return residual.add(shortcut(y, block, step)).relu();
  }, x);
}

function basicBlock(x: Value, weights: Weights, stride: number): Value {
  const first = batchNorm(x.conv(weights.at('conv1'), { stride }), weights.at('bn1')).relu();
  return batchNorm(first.conv(weights.at('conv2')), weights.at('bn2'));
}

function bottleneck(x: Value, weights: Weights, stride: number): Value {
  const narrow = batchNorm(x.conv(weights.at('conv1')), weights.at('bn1')).relu();
  const spatial = batchNorm(narrow.conv(weights.at('conv2'), { stride }), weights.at('bn2')).relu();
  return batchNorm(spatial.conv(weights.at('conv3')), weights.at('bn3'));
}

function shortcut(x: Value, weights: Weights, stride: number): Value {
  if (!weights.has('downsample')) return x;
  return batchNorm(x.conv(weights.at('downsample.0'), { stride }), weights.at('downsample.1'));
}
