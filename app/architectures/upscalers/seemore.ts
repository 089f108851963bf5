import { chain } from '../../onnx/chain.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { project } from '../../onnx/linear.ts';
import { argMax, lookUp } from '../../onnx/lookup.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import { globalAveragePool } from '../../onnx/pooling.ts';
import { resizeBilinearTo } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { cropTo, padMirrored } from '../padding.ts';
import { hasAll } from '../state-dict-keys.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

/** Of DIV2K; not in the file. */
const MEAN = [0.4488, 0.4371, 0.404] as const;
const EPSILON = 1e-6;

/** Of smaller pictures nothing would be left when they are made 4 times smaller twice. */
const MIN_SIDE = 16;

/** What the file does not say, but for the large model by its measures. */
interface Plan {
  readonly isShuffled: boolean;
  /** How often features are made four times smaller before they are looked at. */
  readonly recursions: number;
}

/**
 * SeemoRe (arXiv:2402.03412): in every layer the picture chooses one of several experts. Reference: eduardzamfir/seemoredetails,
 * seemore_arch.py.
 */
export const seemore: Architecture = {
  name: 'SeemoRe',
  looksFor: 'SeemoRe: conv_1 + body.0.local_block.block.moe_layer + body.0.global_block + upsampler.0',

  detect: hasAll('body.0.local_block', 'body.0.global_block'),

  read(weights) {
    const [features, inputs] = [weights.dim('conv_1.weight', 0), weights.dim('conv_1.weight', 1)];
    if (inputs !== MEAN.length) {
      throw new UnknownNetworkError(
        `conv_1.weight: SeemoRe takes the mean of 3 channels off its picture, which has ${inputs}`,
      );
    }
    const layers = weights.list('body').length;
    const isLarge = layers === 16 && features === 48;
    const plan: Plan = { isShuffled: !isLarge, recursions: isLarge ? 1 : 2 };
    const { factor } = pixelShuffleHead(weights, 'upsampler.0.weight', inputs);
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: inputs,
      parameters: {
        scale: factor,
        in_chans: inputs,
        num_experts: weights.list(EXPERTS).length,
        num_layers: layers,
        embedding_dim: features,
        img_range: 1,
        use_shuffle: plan.isShuffled,
        global_kernel_size: weights.dim('body.0.global_block.block.attn.conv.0.weight', 3),
        recursive: plan.recursions,
        lr_space: growthOf(weights),
        topk: 1,
      },
      multipleOf: 1,
      padding: 'own',
      sides: 'fixed',
      halo: EFFECTIVE_FIELD,
      tiling: 'whole-image-preferred',
      workingBytesPerPixel: 4 * (LIVE_TENSORS * features + 5 * inputs * factor ** 2),
      build: (image) => build(image, weights, { ...plan, scale: factor }),
    } satisfies Network;
  },
};

const EXPERTS = 'body.0.local_block.block.moe_layer.experts';
const EFFECTIVE_FIELD = 32;

/** Feature maps that are alive at once. */
const LIVE_TENSORS = 21;

/** How the experts' widths grow: 2, 3, 4; 2, 4, 6; or 2, 4, 8. Two or one fit several, of which spandrel takes the first. */
function growthOf(weights: Weights): string {
  const widths = weights.indices(EXPERTS).map((index) => weights.dim(`${EXPERTS}.${index}.conv_1.weight`, 0));
  const follow = (width: (index: number) => number): boolean => widths.every((seen, index) => seen === width(index));
  if (follow((index) => index + 2)) return 'linear';
  return follow((index) => 2 * index + 2) ? 'double' : 'exp';
}

function build(image: Value, weights: Weights, plan: Plan & { readonly scale: number }): Value {
  const [height, width] = [image.size(2), image.size(3)];
  const large = padMirrored(image, Math.max(height, MIN_SIDE), Math.max(width, MIN_SIDE));
  const mean = image.graph.constant(MEAN, [1, 3, 1, 1]);
  const shallow = large.subtract(mean).conv(weights.at('conv_1'));
  const deep = chain(shallow, weights.list('body'), (x, layer) => {
    const local = residual(x, layer.at('local_block'), (y, block) => localBlock(y, block, plan));
    return residual(local, layer.at('global_block'), globalBlock);
  });
  const features = layerNorm2d(deep, weights.at('norm'), EPSILON).conv(weights.at('conv_2')).add(shallow);
  const whole = features.conv(weights.at('upsampler').at(0)).pixelShuffle(plan.scale).add(mean);
  return cropTo(whole, height * plan.scale, width * plan.scale);
}

function residual(x: Value, weights: Weights, block: (x: Value, weights: Weights) => Value): Value {
  const y = block(layerNorm2d(x, weights.at('norm_1'), EPSILON), weights.at('block')).add(x);
  return feedForward(layerNorm2d(y, weights.at('norm_2'), EPSILON), weights.at('ffn')).add(y);
}

function feedForward(x: Value, weights: Weights): Value {
  const [gate, value] = halves(x.conv(weights.at('fn_1').at(0)).gelu());
  return gate
    .multiply(depthwiseConv(value, weights.at('gate')))
    .conv(weights.at('fn_2').at(0))
    .gelu();
}

/** Mixture of experts over local and, made small by strides, wider features. */
function localBlock(x: Value, weights: Weights, plan: Plan): Value {
  const first = weights.at('conv_1');
  const spread = x.conv(first.at(0)).gelu().conv(first.at(2));
  const features = spread.size(1) / 2;
  // Channel shuffle of two groups: the first of each, the second of each, ...
  const order = Array.from({ length: 2 * features }, (_, i) => (i % 2) * features + (i >> 1));
  const [local, wide] = halves(plan.isShuffled ? spread.gather(1, order) : spread);
  const striped = stripes(local, weights.at('conv_2').at(0)).gelu();
  const calibrated = wide.add(resizeBilinearTo(seenSmall(wide, weights, plan), wide.size(2), wide.size(3)));
  return experts(striped, calibrated, weights.at('moe_layer')).conv(weights.at('proj'));
}

function seenSmall(x: Value, weights: Weights, { recursions }: Plan): Value {
  let small = x;
  for (let i = 0; i < recursions; i++) {
    small = depthwiseConv(small, weights.at('agg_conv').at(0), { stride: 4, padding: 0 }).gelu();
  }
  return depthwiseConv(small, weights.at('conv').at(0)).conv(weights.at('conv').at(1));
}

/** The answer of the expert that the picture's mean chooses, times how sure the choice is. All are asked: the graph is one. */
function experts(x: Value, wide: Value, weights: Weights): Value {
  const list = weights.list('experts');
  const { graph } = x;
  const mean = globalAveragePool(x).squeeze(3).squeeze(2);
  const gate = graph.weight(
    weights
      .at('gate.body')
      .at(2)
      .take('weight', [list.length, x.size(1)]),
  );
  const shares = project(mean, gate).softmax();
  const identity = list.flatMap((_, row) => list.map((__, column) => (row === column ? 1 : 0)));
  const chosen = lookUp(graph.constant(identity, [list.length, list.length]), argMax(shares, 1)).multiply(shares);
  return list.reduce((sum, expert, index) => {
    const mixed = wide
      .conv(expert.at('conv_2'))
      .multiply(x.conv(expert.at('conv_1')))
      .conv(expert.at('conv_3'));
    return sum.add(
      mixed.multiply(
        chosen
          .slice(1, index, index + 1)
          .unsqueeze(2)
          .unsqueeze(3),
      ),
    );
  }, x);
}

function globalBlock(x: Value, weights: Weights): Value {
  const [query, value] = halves(x.conv(weights.at('to_qv').at(0)).gelu());
  return stripes(query, weights.at('attn')).multiply(value).conv(weights.at('proj'));
}

/** A depthwise convolution along a row, then one along a column. */
function stripes(x: Value, weights: Weights): Value {
  return depthwiseConv(depthwiseConv(x, weights.at('conv').at(0)), weights.at('conv').at(1));
}

function halves(x: Value): [Value, Value] {
  const half = x.size(1) / 2;
  return [x.slice(1, 0, half), x.slice(1, half, 2 * half)];
}
