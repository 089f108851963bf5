import { batchNorm } from '../onnx/normalization.ts';
import type { Value } from '../onnx/value.ts';
import type { Weights } from '../onnx/weights.ts';

/**
 * One stage of a ResNet with bottlenecks (`layer1` to `layer4` of torchvision's resnet50): the first block halves the size
 * from the second stage on, by the stride of its 3x3 convolution. Reference: torchvision/models/resnet.py.
 */
export function bottleneckStage(x: Value, weights: Weights, stage: string): Value {
  const stride = stage === 'layer1' ? 1 : 2;
  return weights.list(stage).reduce((y, block, index) => bottleneck(y, block, index === 0 ? stride : 1), x);
}

function bottleneck(x: Value, weights: Weights, stride: number): Value {
  const narrow = batchNorm(x.conv(weights.at('conv1')), weights.at('bn1')).relu();
  const spatial = batchNorm(narrow.conv(weights.at('conv2'), { stride }), weights.at('bn2')).relu();
  const wide = batchNorm(spatial.conv(weights.at('conv3')), weights.at('bn3'));
  return wide.add(shortcut(x, weights, stride)).relu();
}

function shortcut(x: Value, weights: Weights, stride: number): Value {
  if (!weights.has('downsample')) return x;
  return batchNorm(x.conv(weights.at('downsample.0'), { stride }), weights.at('downsample.1'));
}
