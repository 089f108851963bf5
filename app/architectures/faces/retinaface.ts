import { normedConv } from '../../onnx/normalization.ts';
import { maxPool } from '../../onnx/pooling.ts';
import { resizeNearestTo } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { resnetStage } from '../resnet.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';

/** Sides of the prior boxes of each level, in pixels, and the level's step; the network answers one row for each prior. */
export const RETINAFACE_LEVELS = [
  { minSizes: [16, 32], step: 8 },
  { minSizes: [64, 128], step: 16 },
  { minSizes: [256, 512], step: 32 },
] as const;

/** What decoding scales offsets of centres and logarithms of sizes by. */
export const RETINAFACE_VARIANCE = [0.1, 0.2] as const;

/** What is subtracted from B, G and R in 0..255. */
export const RETINAFACE_MEAN_BGR = [104, 117, 123] as const;

/**
 * RetinaFace (arXiv:1905.00641) on a ResNet-50. Takes BGR in 0..255 less its means, of any size; answers, for every prior box
 * of three levels, cell by cell, `loc` [N, priors, 4], `conf` [N, priors, 2] (background, face; they add up to 1) and
 * `landms` [N, priors, 10]. Reference: facexlib/detection/retinaface.py, retinaface_net.py.
 */
export const retinaFace: Architecture = {
  name: 'RetinaFace',
  looksFor: 'RetinaFace: body.conv1 + fpn.output1.0 + ssh1.conv3X3.0',

  detect: hasAll('body.layer1.0', 'fpn.output1', 'ssh1.conv3X3'),

  ignores: isBatchNormCounter,

  read(weights) {
    return {
      scale: 1,
      inputChannels: weights.dim('body.conv1.weight', 1),
      outputChannels: null,
      parameters: {
        backbone: 'resnet50',
        min_sizes: RETINAFACE_LEVELS.map((level) => level.minSizes),
        steps: RETINAFACE_LEVELS.map((level) => level.step),
        variance: RETINAFACE_VARIANCE,
        in_channel: weights.dim('fpn.output1.0.weight', 1) / 2,
        out_channel: weights.dim('fpn.output1.0.weight', 0),
        mean_bgr: RETINAFACE_MEAN_BGR,
      },
      role: 'face-detector',
      multipleOf: 1,
      halo: 0,
      workingBytesPerPixel: 150,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

function build(image: Value, weights: Weights): NamedValues {
  const levels = pyramid(backbone(image, weights.at('body')), weights.at('fpn'));
  const features = levels.map((level, index) => contextModule(level, weights.at(`ssh${index + 1}`)));
  const rows = (name: string, size: number): Value =>
    features.map((x, index) => head(x, weights.at(name).at(index), size)).reduce((above, x) => above.concat([x], 1));
  return { loc: rows('BboxHead', 4), conf: rows('ClassHead', 2).softmax(-1), landms: rows('LandmarkHead', 10) };
}

/** Feature maps at steps of 8, 16 and 32 pixels. */
type Maps = readonly [Value, Value, Value];

function backbone(image: Value, weights: Weights): Maps {
  const stem = normedConv(image, weights.at('conv1'), weights.at('bn1'), { stride: 2 }).relu();
  const pooled = maxPool(stem, { kernel: [3, 3], stride: 2, padding: [1, 1, 1, 1] });
  const layer1 = resnetStage(pooled, weights.list('layer1'), 1);
  const layer2 = resnetStage(layer1, weights.list('layer2'), 2);
  const layer3 = resnetStage(layer2, weights.list('layer3'), 2);
  return [layer2, layer3, resnetStage(layer3, weights.list('layer4'), 2)];
}

/** The feature pyramid: coarse maps are enlarged to exactly the size of the finer ones, and added. */
function pyramid([fine, middle, coarse]: Maps, weights: Weights): Maps {
  const level = (x: Value, index: number): Value => unit(x, weights.at(`output${index}`)).relu();
  const merge = (x: Value, above: Value, index: number): Value => {
    const enlarged = resizeNearestTo(above, x.size(2), x.size(3));
    return unit(x.add(enlarged), weights.at(`merge${index}`)).relu();
  };
  const output3 = level(coarse, 3);
  const output2 = merge(level(middle, 2), output3, 2);
  return [merge(level(fine, 1), output2, 1), output2, output3];
}

/** SSH: views of 3, 5 and 7 pixels side by side, the larger ones as rows of 3x3 convolutions (arXiv:1708.03979). */
function contextModule(x: Value, weights: Weights): Value {
  const half = unit(x, weights.at('conv3X3'));
  const shared = unit(x, weights.at('conv5X5_1')).relu();
  const five = unit(shared, weights.at('conv5X5_2'));
  const seven = unit(unit(shared, weights.at('conv7X7_2')).relu(), weights.at('conv7x7_3'));
  return half.concat([five, seven]).relu();
}

/** Convolution and BatchNorm, a pair in nn.Sequential. */
function unit(x: Value, weights: Weights): Value {
  return normedConv(x, weights.at(0), weights.at(1));
}

/** [N, anchors * size, H, W] as one row of `size` numbers for each prior box: [N, H * W * anchors, size]. */
function head(x: Value, weights: Weights, size: number): Value {
  const answer = x.conv(weights.at('conv1x1'));
  const rows = (answer.size(1) / size) * answer.size(2) * answer.size(3);
  return answer.transpose([0, 2, 3, 1]).reshape([answer.size(0), rows, size]);
}
