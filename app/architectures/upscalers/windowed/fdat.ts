import { chain } from '../../../onnx/chain.ts';
import { transposedAttention } from '../../../onnx/channel-attention.ts';
import { conv3x3, depthwiseConv } from '../../../onnx/convolution.ts';
import { linear, project } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { globalAveragePool } from '../../../onnx/pooling.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, queryKeyValue } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { Windows } from '../../../onnx/windows/windows.ts';
import type { Architecture, Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { cropTo, padToMultiple } from '../../padding.ts';
import { hasAll } from '../../state-dict-keys.ts';
import type { UpsampleHead } from '../meta-upsample.ts';
import { upsampled, upsampleHeadOf } from '../meta-upsample.ts';
import { LAYER_NORM_EPSILON } from './transformer-parts.ts';

const FIRST_BLOCK = 'groups.0.blocks.0';
const NO_BIAS = { bias: false } as const;

/** Blocks by windows and by channels take turns; not in the file. */
const KINDS = 2;

/** What the keys and shapes tell. */
interface FdatSize {
  readonly window: number;
  readonly unshuffle: number;
  readonly inputs: number;
  readonly head: UpsampleHead;
}

/**
 * FDAT: a faster DAT, of attention in square windows that are not shifted, in turn with attention over channels.
 * Reference: stinkybread/fdat, fdat.py.
 */
export const fdat: Architecture = {
  name: 'FDAT',
  looksFor: `FDAT: conv_first + ${FIRST_BLOCK}.attn.bias + ${FIRST_BLOCK}.inter + upsampler`,

  detect: hasAll('conv_first', `${FIRST_BLOCK}.inter`, `${FIRST_BLOCK}.attn`, 'upsampler'),

  // Blocks by windows do not ask where, those by channels not which.
  ignores: (name) => /\.blocks\.\d*[02468]\.inter\.sg\.|\.blocks\.\d*[13579]\.inter\.cg\./.test(name),

  read(weights) {
    const size = sizeOf(weights);
    const { head, unshuffle, inputs, window } = size;
    const features = weights.dim(`${FIRST_BLOCK}.n1.weight`, 0);
    const scale = head.scale / unshuffle;
    return {
      scale,
      inputChannels: inputs,
      outputChannels: head.outputs,
      parameters: parametersOf(weights, features, size),
      multipleOf: window * unshuffle,
      padding: 'own',
      halo: HALO_WINDOWS * window * unshuffle,
      tiling: 'whole-image-preferred',
      sides: 'fixed',
      workingBytesPerPixel: (BYTES_PER_FEATURE * features + 4 * 3 * head.middle * head.scale ** 2) / unshuffle ** 2,
      build: (image) => build(image, weights, size),
    } satisfies Network;
  },
};

/**
 * Windows around a tile. Channels see one another over the whole picture, so tiles differ whatever they see: on pseudo-random weights as much
 * with eight windows as with two.
 */
const HALO_WINDOWS = 2;

/** What a block takes at once for every feature of a pixel, by estimate. */
const BYTES_PER_FEATURE = 100;

function sizeOf(weights: Weights): FdatSize {
  const head = upsampleHeadOf(weights.at('upsampler'));
  const window = Math.sqrt(weights.dim(`${FIRST_BLOCK}.attn.bias`, 1));
  const isUnshuffled = weights.has('conv_first.1');
  const first = weights.dim(`conv_first${isUnshuffled ? '.1' : ''}.weight`, 1);
  const inputs = isUnshuffled ? head.outputs : first;
  const unshuffle = isUnshuffled ? Math.sqrt(first / inputs) : 1;
  if ([window, unshuffle, head.scale / unshuffle].every((size) => Number.isInteger(size) && size > 0)) {
    return { head, window, inputs, unshuffle };
  }
  throw new UnknownNetworkError(
    `an FDAT with windows of ${window} pixels that folds ${unshuffle} pixels and enlarges by ${head.scale}; none is known`,
  );
}

function parametersOf(
  weights: Weights,
  features: number,
  { head, window, inputs, unshuffle }: FdatSize,
): Network['parameters'] {
  const groups = weights.list('groups');
  return {
    num_in_ch: inputs,
    num_out_ch: head.outputs,
    scale: head.scale / unshuffle,
    embed_dim: features,
    num_groups: groups.length,
    depth_per_group: (groups[0]?.list('blocks').length ?? 0) / KINDS,
    num_heads: weights.dim(`${FIRST_BLOCK}.attn.bias`, 0),
    window_size: window,
    ffn_expansion_ratio: weights.dim(`${FIRST_BLOCK}.ffn.fc1.weight`, 0) / features,
    aim_reduction_ratio: Math.floor(features / weights.dim(`${FIRST_BLOCK}.inter.cg.1.weight`, 0)),
    group_block_pattern: null,
    mid_dim: head.middle,
    upsampler_type: head.kind,
    img_range: 1,
    unshuffle_mod: unshuffle > 1,
  };
}

function build(image: Value, weights: Weights, { head, window, unshuffle }: FdatSize): Value {
  const scale = head.scale / unshuffle;
  const [height, width] = [image.size(2) * scale, image.size(3) * scale];
  const folded = padToMultiple(image, unshuffle, 'mirrored').pixelUnshuffle(unshuffle);
  const first = weights.at(unshuffle > 1 ? 'conv_first.1' : 'conv_first');
  const shallow = conv3x3(folded, first, weights.dim(`${FIRST_BLOCK}.n1.weight`, 0));
  const layout = { height: shallow.size(2), width: shallow.size(3), window: [window, window] } as const;
  const windows = new Windows(image.graph, layout);
  const deep = chain(shallow, weights.list('groups'), (x, layer) => group(x, layer, windows));
  const features = deep.conv(weights.at('conv_after'), NO_BIAS).add(shallow);
  return cropTo(upsampled(features, weights.at('upsampler'), head), height, width);
}

function group(map: Value, weights: Weights, windows: Windows): Value {
  const deep = chain(toTokens(map), weights.list('blocks'), (x, block, index) =>
    fdatBlock(x, block, { map, windows, isByWindows: index % KINDS === 0 }),
  );
  return toMap(deep, map).conv(weights.at('conv'), NO_BIAS).add(map);
}

interface FdatBlock {
  readonly map: Value;
  readonly windows: Windows;
  readonly isByWindows: boolean;
}

/** Attention beside a convolution, of which one says how much of the other passes; then a network with a convolution. */
function fdatBlock(x: Value, weights: Weights, { map, windows, isByWindows }: FdatBlock): Value {
  const normed = layerNorm(x, weights.at('n1'), LAYER_NORM_EPSILON);
  const convolved = depthwiseConv(toMap(normed, map), weights.at('conv').at(0), NO_BIAS).gelu();
  const [attention, gates] = [weights.at('attn'), weights.at('inter')];
  const joined = isByWindows
    ? toMap(windowAttention(normed, attention, windows), map)
        .multiply(channelGate(convolved, gates.at('cg')))
        .add(convolved)
    : withPlaces(toMap(channelAttention(normed, attention, map), map), convolved, gates.at('sg'));
  const y = x.add(toTokens(joined));
  return y.add(feedForward(layerNorm(y, weights.at('n2'), LAYER_NORM_EPSILON), weights.at('ffn'), map));
}

/** How much of each channel passes, by its mean over the picture. */
function channelGate(map: Value, weights: Weights): Value {
  const narrow = globalAveragePool(map).conv(weights.at(1), NO_BIAS).gelu();
  return narrow.conv(weights.at(3), NO_BIAS).sigmoid();
}

function withPlaces(attended: Value, convolved: Value, weights: Weights): Value {
  return attended.add(convolved.multiply(attended.conv(weights.at(0), NO_BIAS).sigmoid()));
}

/** Zeros that fill the last windows take part. */
function windowAttention(x: Value, weights: Weights, windows: Windows): Value {
  const [heads, tokens] = [weights.dim('bias', 0), windows.tokens];
  const bias = x.graph.weight(weights.take('bias', [heads, tokens, tokens]));
  const inputs = queryKeyValue(windows.partition(x), weights.at('qkv'), { hasBias: false });
  return windows.merge(linear(attendInWindows(inputs, { heads, bias }), weights.at('proj')));
}

function channelAttention(x: Value, weights: Weights, map: Value): Value {
  const { query, key, value } = queryKeyValue(x, weights.at('qkv'), { hasBias: false });
  const maps = { query: toMap(query, map), key: toMap(key, map), value: toMap(value, map) };
  return linear(toTokens(transposedAttention(maps, weights, 'temp')), weights.at('proj'));
}

function feedForward(x: Value, weights: Weights, map: Value): Value {
  const { graph } = x;
  const weight = (name: string, shape: readonly (number | null)[]): Value =>
    graph.weight(weights.at(name).take('weight', shape));
  const wide = project(x, weight('fc1', [null, x.size(2)])).gelu();
  const mixed = toTokens(depthwiseConv(toMap(wide, map), weights.at('smix'), NO_BIAS));
  return project(mixed, weight('fc2', [x.size(2), wide.size(2)]));
}
