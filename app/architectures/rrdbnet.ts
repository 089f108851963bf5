import type { Value } from '../onnx/value.ts';
import type { Weights } from '../onnx/weights.ts';
import type { Architecture, Network } from './architecture.ts';

/** Where a spelling of the keys keeps each part. */
interface Layout {
  readonly first: string;
  readonly blocks: string;
  readonly denseBlock: (index: number) => string;
  readonly conv: (index: number) => string;
  readonly trunk: string;
  readonly upsamplers: readonly string[];
  readonly highResolution: string;
  readonly last: string;
}

/**
 * RRDBNet, a trunk of residual-in-residual dense blocks: ESRGAN (arXiv:1809.00219), Real-ESRGAN (arXiv:2107.10833), BSRGAN,
 * RealSR, ESRGAN+ (arXiv:2001.08073). Reference: basicsr/archs/rrdbnet_arch.py and ESRGAN's old_arch branch.
 */
export const rrdbNet: Architecture = {
  name: 'ESRGAN',
  looksFor:
    'RRDBNet: conv_first + body.0.rdb1.conv1, conv_first + RRDB_trunk.0.RDB1.conv1, or model.0 + model.1.sub.0.RDB1.conv1.0',

  detect: (weights) => layoutOf(weights) !== undefined,

  read(weights) {
    const layout = layoutOf(weights) ?? oldLayout(weights);
    const features = weights.dim(`${layout.first}.weight`, 0);
    const stored = weights.dim(`${layout.first}.weight`, 1);
    const channels = weights.dim(`${layout.last}.weight`, 0);
    const unshuffle = [2, 4].find((factor) => stored === channels * factor ** 2) ?? 1; // x2plus and x1 fold pixels first
    const networkScale = 2 ** layout.upsamplers.length;
    const blocks = blockCount(weights, layout);
    return {
      scale: networkScale / unshuffle,
      inputChannels: stored / unshuffle ** 2,
      outputChannels: channels,
      parameters: {
        in_nc: stored,
        out_nc: channels,
        num_filters: features,
        num_blocks: blocks,
        plus: weights.at(layout.blocks).at(0).at(layout.denseBlock(1)).has('conv1x1.weight'),
        shuffle_factor: unshuffle > 1 ? unshuffle : null,
        num_feat: features,
        num_block: blocks,
        network_scale: networkScale,
      },
      multipleOf: unshuffle,
      halo: EFFECTIVE_FIELD * unshuffle,
      workingBytesPerPixel: LIVE_TENSORS * 4 * features * Math.max(1, networkScale / unshuffle) ** 2,
      build: (image) => build(image.pixelUnshuffle(unshuffle), weights, layout, blocks),
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

function build(folded: Value, weights: Weights, layout: Layout, blocks: number): Value {
  const shallow = folded.conv(weights.at(layout.first));
  const trunk = Array.from({ length: blocks }, (_, i) => weights.at(layout.blocks).at(i)).reduce(
    (x, block) => residualBlock(x, block, layout),
    shallow,
  );
  const deep = trunk.conv(weights.at(layout.trunk)).add(shallow);
  const upscaled = layout.upsamplers.reduce((x, name) => upsample(x, weights.at(name)), deep);
  return upscaled.conv(weights.at(layout.highResolution)).leakyRelu(0.2).conv(weights.at(layout.last));
}

function residualBlock(x: Value, weights: Weights, layout: Layout): Value {
  const deep = [1, 2, 3].reduce((y, index) => denseBlock(y, weights.at(layout.denseBlock(index)), layout.conv), x);
  return deep.scale(0.2).add(x);
}

/** Five convolutions, each of which sees all that was made before it. ESRGAN+ adds two shortcuts (its noise is off here). */
function denseBlock(x: Value, weights: Weights, conv: Layout['conv']): Value {
  const isPlus = weights.has('conv1x1.weight');
  const layer = (seen: Value, index: number): Value => seen.conv(weights.at(conv(index))).leakyRelu(0.2);
  const x1 = layer(x, 1);
  const plain2 = layer(x.concat([x1]), 2);
  const x2 = isPlus ? plain2.add(x.conv(weights.at('conv1x1'))) : plain2;
  const x3 = layer(x.concat([x1, x2]), 3);
  const plain4 = layer(x.concat([x1, x2, x3]), 4);
  const x4 = isPlus ? plain4.add(x2) : plain4;
  const x5 = x.concat([x1, x2, x3, x4]).conv(weights.at(conv(5)));
  return x5.scale(0.2).add(x);
}

function upsample(x: Value, weights: Weights): Value {
  return x.resizeNearest(2).conv(weights).leakyRelu(0.2);
}

function layoutOf(weights: Weights): Layout | undefined {
  if (weights.has('conv_first.weight') && weights.has('body.0.rdb1.conv1.weight')) return newLayout(weights);
  if (weights.has('conv_first.weight') && weights.has('RRDB_trunk.0.RDB1.conv1.weight')) return bsrganLayout(weights);
  if (weights.has('model.0.weight') && weights.has('model.1.sub.0.RDB1.conv1.0.weight')) return oldLayout(weights);
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
    highResolution: 'HRconv',
    last: 'conv_last',
  };
}

/**
 * ESRGAN's first release: one nn.Sequential, whose parts without weights leave gaps. After the trunk (model.1) each
 * upsampler takes three places, its convolution on the last: model.3, model.6 ...; then conv_hr two places on, conv_last two more.
 */
function oldLayout(weights: Weights): Layout {
  const last = Math.max(...weights.indices('model'));
  const upsamplers = Math.max(0, Math.floor((last - 4) / 3));
  const trunk = Math.max(...weights.indices('model.1.sub'));
  return {
    first: 'model.0',
    blocks: 'model.1.sub',
    denseBlock: (index) => `RDB${index}`,
    conv: (index) => `conv${index}.0`,
    trunk: `model.1.sub.${trunk}`,
    upsamplers: Array.from({ length: upsamplers }, (_, i) => `model.${3 * (i + 1)}`),
    highResolution: `model.${last - 2}`,
    last: `model.${last}`,
  };
}

function numbered(weights: Weights, stem: string): string[] {
  const names: string[] = [];
  while (weights.has(`${stem}${names.length + 1}.weight`)) names.push(`${stem}${names.length + 1}`);
  return names;
}

/** Blocks are numbered from 0; in the old layout the trunk's own convolution takes the last number. */
function blockCount(weights: Weights, layout: Layout): number {
  const indices = weights.indices(layout.blocks);
  return layout.trunk.startsWith(`${layout.blocks}.`) ? indices.length - 1 : indices.length;
}
