import { batchNorm, normedConv } from '../../onnx/normalization.ts';
import { maxPool } from '../../onnx/pooling.ts';
import { resizeNearestTo } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import { spectralConv, weightNormConv } from '../../onnx/kernels/weight-normalization.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { shuffleAndBlur } from './icnr-upsample.ts';
import { resnetStage } from '../resnet.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';

/** The range that the last sigmoid is stretched to: what ImageNet's normalisation makes of 0..1, with room. */
const Y_RANGE = [-3, 3] as const;

/** torchvision's ResNets by whether their blocks are bottlenecks and how many each stage has. */
const RESNETS: ReadonlyMap<string, string> = new Map([
  ['basic 2,2,2,2', 'resnet18'],
  ['basic 3,4,6,3', 'resnet34'],
  ['bottleneck 3,4,6,3', 'resnet50'],
  ['bottleneck 3,4,23,3', 'resnet101'],
  ['bottleneck 3,8,36,3', 'resnet152'],
]);

/**
 * DeOldify's generators: fastai's dynamic U-Net on a ResNet, under spectral norm, with self-attention at an eighth of the size;
 * `deep` (artistic) has two convolutions a block, `wide` (stable, video) one of more channels. Takes gray as RGB under
 * ImageNet's normalisation and gives RGB in the same units. Reference: deoldify/unet.py, fastai/vision/models/unet.py.
 */
export const deoldify: Architecture = {
  name: 'DeOldify',
  looksFor: 'DeOldify: layers.3.0.0.weight_orig + layers.8.conv.0.weight_g',

  detect: hasAll('layers.3.0.0', 'layers.8.conv.0'),

  ignores: isBatchNormCounter,

  read(weights) {
    const layers = weights.at('layers');
    const isDeep = layers.has('4.conv1.0.weight_orig');
    return {
      scale: 1,
      inputChannels: layers.dim('0.0.weight', 1),
      outputChannels: layers.dim('11.0.weight_orig', 0),
      parameters: {
        unet: isDeep ? 'deep' : 'wide',
        encoder: encoderName(layers.at(0)),
        nf_factor: isDeep ? deepFactor(layers) : wideFactor(layers),
        y_range: Y_RANGE,
      },
      multipleOf: 2, // the last pixel shuffle doubles half the size, and must meet the input
      halo: 0,
      role: 'colorizer',
      workingBytesPerPixel: WORKING_BYTES,
      build: (image) => build(image, layers),
    } satisfies Network;
  },
};

/** As measured at 560 x 560, for the deep one; the wide one takes 4.2 KB. */
const WORKING_BYTES = 5300;

function encoderName(body: Weights): string {
  const kind = body.has('4.0.conv3.weight') ? 'bottleneck' : 'basic';
  const depths = [4, 5, 6, 7].map((stage) => body.list(String(stage)).length).join();
  return RESNETS.get(`${kind} ${depths}`) ?? `resnet(${kind} ${depths})`;
}

/** Channels of the first block's convolutions over those that go into it. */
function deepFactor(layers: Weights): number {
  const [outputs, inputs] = [layers.dim('4.conv1.0.weight_orig', 0), layers.dim('4.conv1.0.weight_orig', 1)];
  return Math.round((outputs / inputs) * 100) / 100;
}

/** The first block gives half of 512 times the factor. */
function wideFactor(layers: Weights): number {
  return layers.dim('4.conv.0.weight_orig', 0) / 256;
}

function build(image: Value, layers: Weights): Value {
  const { skips, deepest } = encode(image, layers.at(0));
  const start = batchNorm(deepest, layers.at(1)).relu();
  const middle = convUnit(convUnit(start, layers.at('3.0')), layers.at('3.1'));
  const decoded = skips.reduce((x, skip, i) => unetBlock(x, skip, layers.at(4 + i)), middle);
  const enlarged = shuffleAndBlur(weightNormConv(decoded, layers.at('8.conv.0')).relu(), 2);
  const joined = enlarged.concat([image]);
  const residual = spectralConv(joined, layers.at('10.layers.0.0')).relu();
  const refined = spectralConv(residual, layers.at('10.layers.1.0')).relu().add(joined);
  const [low, high] = Y_RANGE;
  const answer = spectralConv(refined, layers.at('11.0')).sigmoid();
  return answer.scale(high - low).add(image.graph.constant(low));
}

/** The encoder's result, and what it was before each time its width halves, the smallest first. */
function encode(image: Value, body: Weights): { skips: Value[]; deepest: Value } {
  const stem = normedConv(image, body.at(0), body.at(1), { stride: 2 }).relu();
  const pooled = maxPool(stem, { kernel: [3, 3], stride: 2, padding: [1, 1, 1, 1] });
  const layer1 = resnetStage(pooled, body.list('4'), 1);
  const layer2 = resnetStage(layer1, body.list('5'), 2);
  const layer3 = resnetStage(layer2, body.list('6'), 2);
  return { skips: [layer3, layer2, layer1, stem], deepest: resnetStage(layer3, body.list('7'), 2) };
}

/** Doubles the size (to the encoder's, where that was odd), joins the encoder's map, convolves once (wide) or twice (deep). */
function unetBlock(x: Value, skip: Value, weights: Weights): Value {
  const shuffle = weights.at('shuf.conv');
  const doubled = shuffleAndBlur(batchNorm(spectralConv(x, shuffle.at(0), { bias: false }), shuffle.at(1)).relu(), 2);
  const enlarged = resizeNearestTo(doubled, skip.size(2), skip.size(3));
  const joined = enlarged.concat([batchNorm(skip, weights.at('bn'))]).relu();
  if (weights.has('conv')) return convUnit(joined, weights.at('conv'));
  return convUnit(convUnit(joined, weights.at('conv1')), weights.at('conv2'));
}

/** Convolution, ReLU, BatchNorm (in this order: the norm cannot be folded), and self-attention where the file has it. */
function convUnit(x: Value, weights: Weights): Value {
  const y = batchNorm(spectralConv(x, weights.at(0), { bias: false }).relu(), weights.at(2));
  return weights.has('3.gamma') ? selfAttention(y, weights.at(3)) : y;
}

/**
 * SAGAN's self-attention (arXiv:1805.08318), as fastai has it: the softmax runs over the queries for every key, so it is the keys
 * that look, and the values of the queries' places are what they see.
 */
function selfAttention(x: Value, weights: Weights): Value {
  const [n, channels, height, width] = [x.size(0), x.size(1), x.size(2), x.size(3)];
  const features = (name: string): Value => {
    const map = spectralConv(x, weights.at(name), { bias: false });
    return map.reshape([n, map.size(1), height * width]);
  };
  const places = (name: string): Value => features(name).transpose([0, 2, 1]);
  const seen = places('key').matmul(features('query')).softmax().matmul(places('value')); // [N, H W, C]
  const mixed = seen.transpose([0, 2, 1]).reshape([n, channels, height, width]);
  return mixed.multiply(x.graph.weight(weights.take('gamma', [1]))).add(x);
}
