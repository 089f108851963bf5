import { chain } from '../../../onnx/chain.ts';
import { conv1x1, conv3x3 } from '../../../onnx/convolution.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { cropTo, padToMultiple } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { GrlSize } from './grl-attention.ts';
import { grlStripes, mixedAttention } from './grl-attention.ts';
import type { PictureHead } from './picture-head.ts';
import { pictureHead, readPictureHead } from './picture-head.ts';
import { anchorDownFactorOf, anchorKindOf } from './grl-projections.ts';
import { betweenNorms, hasQueryBias } from './swin-frame.ts';
import { channelAttentionBlock, colorRange, LAYER_NORM_EPSILON, mlp, residualConv } from './transformer-parts.ts';

const FIRST_BLOCK = 'layers.0.blocks.0';
const ANCHOR = `${FIRST_BLOCK}.attn.anchor`;

/** What files without tables do not tell. */
const UNTOLD_DOWN_FACTOR = 4;

/**
 * GRL (arXiv:2303.00748): attention in windows beside attention in stripes, which goes by way of a few anchors for all of a stripe's pixels.
 * Reference: ofsoundof/GRL-Image-Restoration, models/networks/grl.py.
 */
export const grl: Architecture = {
  name: 'GRL',
  looksFor: `GRL: conv_first + norm_start + ${FIRST_BLOCK}.attn.window_attn + ${FIRST_BLOCK}.attn.stripe_attn`,

  detect: hasAll('norm_start', `${FIRST_BLOCK}.attn.window_attn`, `${FIRST_BLOCK}.attn.stripe_attn`),

  // Made anew for the size of the picture.
  ignores: (name) => /^(table|index|mask)_(w|s[hv](_a2w|_w2a)?)$/.test(name),

  read(weights) {
    const [features, inputs] = [weights.dim('conv_first.weight', 0), weights.dim('conv_first.weight', 1)];
    const head = readPictureHead(weights, inputs);
    if (head.outputs !== inputs) {
      throw new UnknownNetworkError(
        `a GRL of ${inputs} channels to ${head.outputs} (conv_first.weight, conv_last.weight); none is run`,
      );
    }
    const size = sizeOf(weights, head);
    const multipleOf = Math.max(size.window, ...size.stripe);
    return {
      scale: head.upscale,
      inputChannels: inputs,
      outputChannels: inputs,
      parameters: parametersOf(weights, { features, inputs }, size, head),
      multipleOf,
      padding: 'own',
      halo: Math.min(2 * multipleOf, Math.max(ENOUGH_HALO, multipleOf)),
      sides: 'fixed',
      ...(isLocal(weights) && { tiling: 'whole-image-preferred' as const }),
      workingBytesPerPixel: workingBytes(weights, features, size) + 4 * 3 * 64 * head.upscale ** 2,
      build: (image) => build(image, weights, size, head),
    } satisfies Network;
  },
};

/**
 * Two of the largest windows, or so much where one is more: in tiles that see half a window the edges show, by 36 levels of 255 on windows of
 * 4 and stripes of 8; of those that see two, by one.
 */
const ENOUGH_HALO = 32;

/** Scores of attention, of which between five and six copies are alive at once, and features, as measured. */
function workingBytes(weights: Weights, features: number, { window, stripe, down }: GrlSize): number {
  const anchors = (stripe[0] * stripe[1]) / down ** 2;
  const scores = window ** 2 * headsOf(weights.at('layers.0'), WINDOW_SCALE);
  return 4 * 5.5 * (scores + anchors * headsOf(weights.at('layers.0'), STRIPE_SCALE)) + 100 * features;
}

const WINDOW_SCALE = 'window_attn.attn_transform.logit_scale';
const STRIPE_SCALE = 'stripe_attn.attn_transform1.logit_scale';

function headsOf(layer: Weights, scale: string): number {
  return layer.dim(`blocks.0.attn.${scale}`, 0);
}

/** Whether convolutions with channel attention lie beside attention. */
function isLocal(weights: Weights): boolean {
  return weights.has(`${FIRST_BLOCK}.conv`);
}

/** From the tables, where the file has them; else as the published networks of this kind are. */
function sizeOf(weights: Weights, { upsampler, upscale }: PictureHead): GrlSize {
  const kind = anchorKindOf(weights);
  if (!['table_w', 'table_sh', 'index_sh_a2w'].some((name) => weights.has(name))) {
    const down = anchorDownFactorOf(weights.at(ANCHOR), kind) ?? UNTOLD_DOWN_FACTOR;
    if (upscale === 1) return { down, kind, window: 8, stripe: [8, 8] };
    return upsampler === 'nearest+conv'
      ? { down, kind, window: 16, stripe: [32, 64] }
      : { down, kind, window: 32, stripe: [64, 64] };
  }
  const sides = [0, 1].map((axis) => weights.dim('index_sh_a2w', axis));
  const down = Math.sqrt(Math.max(...sides) / Math.min(...sides));
  const stripeOf = (axis: number): number => Math.round((weights.dim('table_sh', axis) + 1) / (1 + 1 / down));
  const size: GrlSize = { down, kind, window: (weights.dim('table_w', 1) + 1) / 2, stripe: [stripeOf(1), stripeOf(2)] };
  const fits = [down, size.window, ...size.stripe.map((side) => side / down)].every(Number.isInteger);
  if (fits) return size;
  throw new UnknownNetworkError(
    `a GRL with windows of ${size.window}, stripes of ${size.stripe.join(' x ')} and anchors for ${down}; none is known`,
  );
}

function parametersOf(
  weights: Weights,
  { features, inputs }: { readonly features: number; readonly inputs: number },
  { window, stripe, down, kind }: GrlSize,
  head: PictureHead,
): Network['parameters'] {
  const layers = weights.list('layers');
  return {
    img_size: 64,
    in_channels: inputs,
    out_channels: inputs,
    embed_dim: features,
    upscale: head.upscale,
    img_range: 1,
    upsampler: head.upsampler,
    depths: layers.map((layer) => layer.list('blocks').length),
    num_heads_window: layers.map((layer) => headsOf(layer, WINDOW_SCALE)),
    num_heads_stripe: layers.map((layer) => headsOf(layer, STRIPE_SCALE)),
    window_size: window,
    stripe_size: stripe,
    stripe_groups: [null, null],
    stripe_shift: true,
    mlp_ratio: weights.dim(`${FIRST_BLOCK}.mlp.fc1.weight`, 0) / features,
    qkv_bias: hasQueryBias(weights),
    qkv_proj_type: weights.has(`${FIRST_BLOCK}.attn.qkv.body.0`) ? 'separable_conv' : 'linear',
    anchor_proj_type: kind,
    anchor_one_stage: weights.list(`${ANCHOR}.body`).length === 1,
    anchor_window_down_factor: down,
    local_connection: isLocal(weights),
    conv_type: convType(weights),
  };
}

function convType(weights: Weights): string {
  if (weights.has('conv_after_body.0')) return '3conv';
  const shape = weights.shape('conv_after_body.weight');
  if (shape.length === 2) return 'linear';
  return shape[2] === 1 ? '1conv1x1' : '1conv';
}

function build(image: Value, weights: Weights, size: GrlSize, head: PictureHead): Value {
  const [height, width] = [image.size(2), image.size(3)];
  const { enter, leave } = colorRange(1);
  const picture = enter(padded(image, Math.max(size.window, ...size.stripe)));
  const shallow = conv3x3(picture, weights.at('conv_first'));
  const kind = convType(weights);
  const deep = lastConv(transformer(shallow, weights, size, kind), weights.at('conv_after_body'), kind);
  const output = pictureHead(deep.add(shallow), weights, head);
  const whole = leave(head.upsampler === '' ? output.add(picture) : output);
  return cropTo(whole, height * head.upscale, width * head.upscale);
}

/** Mirrored, unless one of the sides is too short for that: then with zeros at both. */
function padded(image: Value, multipleOf: number): Value {
  const canMirror = [2, 3].every((axis) => {
    const side = image.size(axis);
    return Math.ceil(side / multipleOf) * multipleOf - side < side;
  });
  return padToMultiple(image, multipleOf, canMirror ? 'mirrored' : 'zeros');
}

/** The convolution behind a group of blocks, or what stands in its place. */
function lastConv(map: Value, weights: Weights, kind: string): Value {
  if (kind === 'linear') return toMap(linear(toTokens(map), weights), map);
  return kind === '1conv1x1' ? conv1x1(map, weights, map.size(1)) : residualConv(map, weights);
}

/** The groups of blocks between two norms: [N, C, H, W] to the like. */
function transformer(map: Value, weights: Weights, size: GrlSize, kind: string): Value {
  const stripes = grlStripes(map, size, hasQueryBias(weights));
  const group = (x: Value, layer: Weights): Value => {
    const y = chain(x, layer.list('blocks'), (z, block, index) => {
      const attended = mixedAttention(z, block.at('attn'), index, stripes);
      return grlBlock(z, attended, block, map);
    });
    return toTokens(lastConv(toMap(y, map), layer.at('conv'), kind)).add(x);
  };
  return betweenNorms(map, weights, group, { firstNorm: 'norm_start', lastNorm: 'norm_end' });
}

/** What attention gave, normed, and an MLP, normed, each added to what went in; and convolutions, where there are some. */
function grlBlock(x: Value, attended: Value, weights: Weights, map: Value): Value {
  const norm = (y: Value, name: string): Value => layerNorm(y, weights.at(name), LAYER_NORM_EPSILON);
  const seen = x.add(norm(attended, 'norm1'));
  const y = weights.has('conv') ? seen.add(toTokens(channelAttentionBlock(toMap(x, map), weights.at('conv')))) : seen;
  return y.add(norm(mlp(y, weights.at('mlp')), 'norm2'));
}
