import { chain } from '../../onnx/chain.ts';
import { conv3x3, convolve } from '../../onnx/convolution.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';

/** Where a spelling of the keys keeps each part. */
interface Layout {
  readonly first: string;
  readonly blocks: string;
  readonly denseBlock: (index: number) => string;
  readonly conv: (index: number) => string;
  readonly trunk: string;
  readonly upsamplers: readonly string[];
  /** `upconv`: pixels are repeated before the convolution; `pixel_shuffle`: it makes them. */
  readonly upsampler: 'upconv' | 'pixel_shuffle';
  readonly highResolution: string;
  readonly last: string;
}

/** The trunk's measures. */
interface Trunk {
  readonly blocks: readonly Weights[];
  readonly features: number;
  /** Channels that each convolution of a dense block adds. */
  readonly growth: number;
  /** ESRGAN+: dense blocks have a shortcut by a 1x1 convolution. */
  readonly isPlus: boolean;
}

/**
 * RRDBNet, a trunk of residual-in-residual dense blocks: ESRGAN (arXiv:1809.00219), Real-ESRGAN (arXiv:2107.10833), BSRGAN,
 * RealSR, ESRGAN+ (arXiv:2001.08073). Reference: basicsr/archs/rrdbnet_arch.py and ESRGAN's old_arch branch.
 */
export const rrdbNet: Architecture = {
  name: 'ESRGAN',
  looksFor: 'RRDBNet: body.0.rdb1.conv1, RRDB_trunk.0.RDB1.conv1 or model.1.sub.0.RDB1.conv1.0 (dense blocks)',

  detect: (weights) => layoutOf(weights) !== undefined,

  read(weights) {
    const layout = layoutOf(weights) ?? oldLayout(weights);
    const stored = weights.dim(`${layout.first}.weight`, 1);
    const channels = weights.dim(`${layout.last}.weight`, 0);
    const unshuffle = [2, 4].find((factor) => stored === channels * factor ** 2) ?? 1; // x2plus and x1 fold pixels first
    const factors = factorsOf(weights, layout);
    const networkScale = factors.reduce((product, factor) => product * factor, 1);
    if (networkScale < unshuffle) {
      throw new UnknownNetworkError(
        `an RRDBNet that folds pixels by ${unshuffle} and enlarges by ${networkScale} would make pictures smaller; none is known`,
      );
    }
    const trunk = trunkOf(weights, layout);
    return {
      scale: networkScale / unshuffle,
      inputChannels: stored / unshuffle ** 2,
      outputChannels: channels,
      parameters: {
        in_nc: stored,
        out_nc: channels,
        num_filters: trunk.features,
        num_blocks: trunk.blocks.length,
        plus: trunk.isPlus,
        shuffle_factor: unshuffle > 1 ? unshuffle : null,
        num_feat: trunk.features,
        num_block: trunk.blocks.length,
        network_scale: networkScale,
        ...(layout.upsampler === 'pixel_shuffle' && { upsampler: layout.upsampler }),
      },
      assumes: { act: 'leakyrelu', act_type: 'leakyrelu', mode: 'CNA', upsampler: layout.upsampler },
      multipleOf: unshuffle,
      halo: EFFECTIVE_FIELD * unshuffle,
      workingBytesPerPixel: LIVE_TENSORS * 4 * trunk.features * (networkScale / unshuffle) ** 2,
      holdsHalf: true,
      hasDenseBlocks: true,
      ...(trunk.isPlus && { int8Refusal: 'ESRGAN+ adds values of different steps inside its dense blocks' }),
      build: (image) => build(image.pixelUnshuffle(unshuffle), weights, layout, { ...trunk, factors }),
    } satisfies Network;
  },
};

/**
 * The theoretical field of 23 blocks is 350 pixels; what lies further away than this moves a trained network's output by
 * less than one level (0.07 at 10 on a trained one, 1 at 10 on pseudo-random weights).
 */
const EFFECTIVE_FIELD = 12;

/** Feature maps at the output's size that are alive at once: 20 KB an input pixel at x4, as measured. */
const LIVE_TENSORS = 5;

/** More (64x) are no network that anybody trained; what a file has of them is left unread, and so refused. */
const MAX_UPSAMPLERS = 6;

function build(folded: Value, weights: Weights, layout: Layout, trunk: Trunk & { factors: readonly number[] }): Value {
  const { features, factors } = trunk;
  const shallow = conv3x3(folded, weights.at(layout.first));
  const residual = folded.graph.region('trunk', shallow, (x) =>
    chain(x, trunk.blocks, (y, block) => residualBlock(y, block, layout, trunk)),
  );
  const deep = conv3x3(residual, weights.at(layout.trunk), features).add(shallow);
  if (layout.upsampler === 'upconv' && factors.every((factor) => factor === 2)) {
    return folded.graph.region('head', deep, (x) => pictureOf(x, weights, layout, trunk));
  }
  return pictureOf(deep, weights, layout, trunk);
}

function pictureOf(
  deep: Value,
  weights: Weights,
  layout: Layout,
  trunk: Trunk & { factors: readonly number[] },
): Value {
  const { features, factors } = trunk;
  const upsample = layout.upsampler === 'upconv' ? upsampleNearest : upsampleShuffled;
  const upscaled = layout.upsamplers.reduce(
    (x, name, i) => upsample(x, weights.at(name), features, factors[i] ?? 2).leakyRelu(0.2),
    deep,
  );
  const picture = conv3x3(upscaled, weights.at(layout.highResolution), features).leakyRelu(0.2);
  return conv3x3(picture, weights.at(layout.last));
}

function residualBlock(x: Value, weights: Weights, layout: Layout, trunk: Trunk): Value {
  const names = [1, 2, 3].map(layout.denseBlock);
  const deep = chain(x, names, (y, name) => {
    const block = weights.at(name);
    return x.graph.region('dense-block', y, (input) => denseBlock(input, block, layout.conv, trunk)).add(y);
  });
  return deep.scale(0.2).add(x);
}

/**
 * What a dense block adds to its input: five convolutions, each of which sees all that was made before it. ESRGAN+ adds two
 * shortcuts (its noise is off here).
 */
function denseBlock(x: Value, weights: Weights, conv: Layout['conv'], { growth, features, isPlus }: Trunk): Value {
  const layer = (seen: Value, index: number): Value => conv3x3(seen, weights.at(conv(index)), growth).leakyRelu(0.2);
  const x1 = layer(x, 1);
  const plain2 = layer(x.concat([x1]), 2);
  const x2 = isPlus ? plain2.add(shortcut(x, weights.at('conv1x1'), growth)) : plain2;
  const x3 = layer(x.concat([x1, x2]), 3);
  const plain4 = layer(x.concat([x1, x2, x3]), 4);
  const x4 = isPlus ? plain4.add(x2) : plain4;
  const x5 = conv3x3(x.concat([x1, x2, x3, x4]), weights.at(conv(5)), features);
  return x5.scale(0.2);
}

function shortcut(x: Value, weights: Weights, growth: number): Value {
  return convolve(x, { weight: x.graph.weight(weights.take('weight', [growth, x.size(1), 1, 1])) });
}

/** How much each upsampler enlarges. One that enlarges three times looks like one that does twice unless pixels are shuffled. */
function factorsOf(weights: Weights, { first, upsamplers, upsampler }: Layout): number[] {
  if (upsampler === 'upconv')
    return upsamplers.map(() => (upsamplers.length === 1 && weights.setting('scale') === 3 ? 3 : 2));
  const features = weights.dim(`${first}.weight`, 0);
  return upsamplers.map((name) => {
    const factor = Math.sqrt(weights.dim(`${name}.weight`, 0) / features);
    return factor === 3 ? 3 : 2; // another does not fit, and is named by its shape
  });
}

function upsampleNearest(x: Value, weights: Weights, features: number, factor: number): Value {
  return conv3x3(x.resizeNearest(factor), weights, features);
}

function upsampleShuffled(x: Value, weights: Weights, features: number, factor: number): Value {
  return conv3x3(x, weights, features * factor ** 2).pixelShuffle(factor);
}

/** By the blocks alone, so that a file without, say, its first convolution is told what it lacks. */
function layoutOf(weights: Weights): Layout | undefined {
  const hasBlock = (blocks: string, denseBlock: string): boolean => {
    const [index] = weights.indices(blocks);
    return index !== undefined && weights.has(`${blocks}.${index}.${denseBlock}`);
  };
  if (hasBlock('body', 'rdb1')) return newLayout(weights);
  if (hasBlock('RRDB_trunk', 'RDB1')) return bsrganLayout(weights);
  if (hasBlock('model.1.sub', 'RDB1')) return oldLayout(weights);
  return undefined;
}

/** basicsr: Real-ESRGAN and everything trained with it. */
function newLayout(weights: Weights): Layout {
  return {
    first: 'conv_first',
    blocks: 'body',
    denseBlock: (index) => `rdb${index}`,
    conv: (index) => `conv${index}`,
    trunk: 'conv_body',
    upsamplers: numbered(weights, 'conv_up'),
    upsampler: 'upconv',
    highResolution: 'conv_hr',
    last: 'conv_last',
  };
}

/** BSRGAN, RealSR and ESRGAN's later releases. */
function bsrganLayout(weights: Weights): Layout {
  return {
    first: 'conv_first',
    blocks: 'RRDB_trunk',
    denseBlock: (index) => `RDB${index}`,
    conv: (index) => `conv${index}`,
    trunk: 'trunk_conv',
    upsamplers: numbered(weights, 'upconv'),
    upsampler: 'upconv',
    highResolution: 'HRconv',
    last: 'conv_last',
  };
}

/**
 * ESRGAN's first release: one nn.Sequential, whose parts without weights leave gaps. After the trunk (model.1) each
 * upsampler takes three places, its convolution on the last: model.3, model.6 ... (on the first where it shuffles pixels: model.2,
 * model.5 ...); then conv_hr two places on, conv_last two more. In the trunk the blocks are followed by its own convolution.
 */
function oldLayout(weights: Weights): Layout {
  const upsamplers = Math.floor(((weights.indices('model').at(-1) ?? 0) - 4) / 3);
  const count = Math.min(Math.max(upsamplers, 0), MAX_UPSAMPLERS);
  const isShuffled = count > 0 && weights.has('model.2');
  const parts = weights.indices('model.1.sub');
  const end = parts.at(-1) ?? 0;
  const isBlock = weights.has(`model.1.sub.${end}.RDB1`);
  return {
    first: 'model.0',
    blocks: 'model.1.sub',
    denseBlock: (index) => `RDB${index}`,
    conv: (index) => `conv${index}.0`,
    trunk: `model.1.sub.${isBlock ? end + 1 : end}`,
    upsamplers: Array.from({ length: count }, (_, i) => `model.${3 * (i + 1) - (isShuffled ? 1 : 0)}`),
    upsampler: isShuffled ? 'pixel_shuffle' : 'upconv',
    highResolution: `model.${3 * count + 2}`,
    last: `model.${3 * count + 4}`,
  };
}

/** `stem1`, `stem2` ... up to the highest that the file has anything of: one that is missing is to be named. */
function numbered(weights: Weights, stem: string): string[] {
  const names = Array.from({ length: MAX_UPSAMPLERS }, (_, i) => `${stem}${i + 1}`);
  return names.slice(0, names.findLastIndex((name) => weights.has(name)) + 1);
}

function trunkOf(weights: Weights, layout: Layout): Trunk {
  const parts = weights.list(layout.blocks);
  const blocks = layout.trunk === `${layout.blocks}.${parts.length - 1}` ? parts.slice(0, -1) : parts;
  const isPlus = blocks.some((block) => [1, 2, 3].some((index) => block.at(layout.denseBlock(index)).has('conv1x1')));
  return {
    blocks,
    features: weights.dim(`${layout.first}.weight`, 0),
    growth: weights.dim(`${layout.blocks}.0.${layout.denseBlock(1)}.${layout.conv(1)}.weight`, 0),
    isPlus,
  };
}
