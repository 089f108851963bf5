import { chain } from '../../../onnx/chain.ts';
import { conv3x3 } from '../../../onnx/convolution.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import { toMap, toTokens } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import type { PictureHead } from './picture-head.ts';
import { pictureHead, readPictureHead } from './picture-head.ts';
import type { ColorRange } from './transformer-parts.ts';
import { colorRange, LAYER_NORM_EPSILON, residualConv } from './transformer-parts.ts';

/** What is around the blocks of SwinIR and of the networks that descend from it. */
export interface SwinFrame {
  readonly inputs: number;
  readonly features: number;
  /** The picture's pixels are folded into channels by this first; else 1. */
  readonly unshuffle: number;
  readonly head: PictureHead;
  /** Whether the layers that make queries, keys and values have biases: all of them, or none. */
  readonly hasBias: boolean;
  /** Whether there is no convolution behind the groups and behind what is deep (`identity` for `1conv`). */
  readonly isIdentity?: boolean;
}

/**
 * @param family as it is called where the frame is none that is known
 * @throws UnknownNetworkError
 */
export function readSwinFrame(weights: Weights, family: string): SwinFrame {
  const unshuffle = weights.has('conv_first.1') ? Math.round(Math.sqrt(weights.dim('conv_first.1.weight', 1) / 3)) : 1;
  const first = unshuffle === 1 ? 'conv_first.weight' : 'conv_first.1.weight';
  const inputs = weights.dim(first, 1) / unshuffle ** 2;
  const head = readPictureHead(weights, inputs);
  const frame = { inputs, unshuffle, features: weights.dim(first, 0), head, hasBias: hasQueryBias(weights) };
  assertSound(frame, family, first);
  return frame;
}

/** Whether any layer that makes queries has a bias; a file that lacks one of several is to be told so. */
export function hasQueryBias(weights: Weights): boolean {
  return weights.hasAny(/(^|\.)(w?qkv(\.body)?(\.0)?|q|kv)\.bias$/);
}

/** @param first the tensor that takes the picture */
function assertSound({ inputs, unshuffle, head }: SwinFrame, family: string, first: string): void {
  const problem = [
    [!Number.isInteger(inputs), `a picture of ${inputs} channels (${first})`],
    [head.upscale % unshuffle !== 0, `pictures that are made smaller, by ${unshuffle} / ${head.upscale}`],
    [
      head.outputs !== inputs,
      `pictures of ${inputs} channels (${first}) that become pictures of ${head.outputs} (${head.upsampler === 'pixelshuffledirect' ? 'upsample' : 'conv_last.weight'})`,
    ],
  ].find(([isSo]) => isSo);
  if (problem)
    throw new UnknownNetworkError(`a network of the kind of ${family} with ${String(problem[1])}; none is known`);
}

/**
 * The side of windows in pixels, from an index of all pairs of their pixels: side^2 rows.
 * @throws UnknownNetworkError where no side has as many
 */
export function windowOfIndex(weights: Weights, index: string, family: string): number {
  return wholeSide(Math.sqrt(weights.dim(index, 0)), { weights, key: index, family });
}

/**
 * The side of windows in pixels, from a table of where their pixels may lie to each other: (2 side - 1)^2 rows; or, where pixels of windows of
 * `other` pixels look at them, (side + other - 1)^2.
 * @throws UnknownNetworkError where no side has as many
 */
export function windowOfTable(weights: Weights, table: string, family: string, other?: number): number {
  const places = Math.sqrt(weights.dim(table, 0));
  return wholeSide(other === undefined ? (places + 1) / 2 : places + 1 - other, { weights, key: table, family });
}

function wholeSide(
  side: number,
  { weights, key, family }: { readonly weights: Weights; readonly key: string; readonly family: string },
): number {
  if (Number.isInteger(side) && side > 0) return side;
  throw new UnknownNetworkError(
    `a network of the kind of ${family} with ${weights.dim(key, 0)} rows in ${key}, which belong to no square window; none is known`,
  );
}

/** What all such networks say of themselves. */
export function swinNetwork({
  inputs,
  unshuffle,
  head,
}: SwinFrame): Pick<Network, 'scale' | 'inputChannels' | 'outputChannels' | 'sides'> {
  return {
    scale: head.upscale / unshuffle,
    inputChannels: inputs,
    outputChannels: head.outputs,
    sides: 'fixed',
  };
}

/** How large a network's square windows are, and what they take. */
interface SquareWindows {
  /** A side, in pixels of the features' map. */
  readonly window: number;
  /** Around a tile, in windows. */
  readonly haloWindows: number;
  /** Bytes that a block takes at once for every feature of a pixel. */
  readonly bytesPerFeature: number;
}

/** What those of square windows say of themselves. */
export function squareNetwork(
  frame: SwinFrame,
  { window, haloWindows, bytesPerFeature }: SquareWindows,
): ReturnType<typeof swinNetwork> & Pick<Network, 'multipleOf' | 'halo' | 'workingBytesPerPixel'> {
  const side = window * frame.unshuffle;
  return {
    ...swinNetwork(frame),
    multipleOf: side,
    halo: haloWindows * side,
    workingBytesPerPixel: swinBytes(frame, bytesPerFeature),
  };
}

/** Bytes for a pixel of the picture: of the blocks, `perFeature` for each of the features, and of the head. */
export function swinBytes({ features, unshuffle, head }: SwinFrame, perFeature: number): number {
  return (perFeature * features + 4 * 3 * 64 * head.upscale ** 2) / unshuffle ** 2;
}

/** The parameters that all references' constructors have, and that the frame decides. */
export function frameParameters(weights: Weights, frame: SwinFrame): Network['parameters'] {
  const { inputs, features, head, hasBias, isIdentity = false } = frame;
  const connection = weights.has('conv_after_body.0') ? '3conv' : '1conv';
  return {
    in_chans: inputs,
    embed_dim: features,
    qkv_bias: hasBias,
    upscale: head.upscale,
    img_range: 1,
    resi_connection: isIdentity ? 'identity' : connection,
  };
}

/** Also those of SwinIR, and of what takes its place in others, that no file of theirs says otherwise. */
export function swinParameters(weights: Weights, frame: SwinFrame): Network['parameters'] {
  return {
    ...frameParameters(weights, frame),
    ape: false,
    patch_norm: weights.has('patch_embed.norm'),
    upsampler: frame.head.upsampler,
  };
}

/**
 * The side of the pictures that a network was trained on, as a mask in its file tells it: that of whole windows.
 * @param otherwise where there is no mask; by default a single window, which has none
 */
export function trainedSide(weights: Weights, mask: string, window: number, otherwise = window): number {
  return weights.has(mask) ? Math.floor(Math.sqrt(weights.dim(mask, 0)) * window) : otherwise;
}

/**
 * Whether every second block is shifted. In a network that was made for pictures of a single window none is, and none has a mask; a file
 * without the index of positions either lacks all that can be made anew, and tells nothing.
 */
export function hasShifts(weights: Weights): boolean {
  return weights.hasAny(/\.attn_mask$/) || !weights.hasAny(/relative_position_index$/);
}

/**
 * Mean shift, `conv_first`, what is deep, `conv_after_body` around that, the head.
 * @param deep [N, features, H, W] to the like
 * @param range of the picture's values inside
 */
export function inSwinFrame(
  image: Value,
  weights: Weights,
  frame: SwinFrame & { readonly range?: number; readonly hasNoMean?: boolean },
  deep: (map: Value) => Value,
): Value {
  const { enter, leave } = frame.hasNoMean ? AS_IT_IS : colorRange(frame.range ?? 1);
  const picture = enter(image);
  const output = pictureHead(swinFeatures(picture, weights, frame, deep), weights, frame.head);
  return leave(frame.head.upsampler === '' ? output.add(picture) : output);
}

const AS_IT_IS: ColorRange = { enter: (picture) => picture, leave: (picture) => picture };

/** What the head gets: [N, inputs, H, W], in the network's own range, to [N, features, H, W]. */
export function swinFeatures(
  picture: Value,
  weights: Weights,
  { unshuffle, isIdentity = false }: SwinFrame,
  deep: (map: Value) => Value,
): Value {
  const first = unshuffle === 1 ? weights.at('conv_first') : weights.at('conv_first').at(1);
  const shallow = conv3x3(picture.pixelUnshuffle(unshuffle), first);
  const map = deep(shallow);
  return (isIdentity ? map : residualConv(map, weights.at('conv_after_body'))).add(shallow);
}

/** Where `betweenNorms` finds what it takes. */
interface GroupKeys {
  readonly firstNorm?: string;
  readonly layers?: string;
  readonly lastNorm?: string;
}

/** The groups of `layers` between two norms, the first of which files may lack, of tokens: [N, C, H, W] to the like. */
export function betweenNorms(
  map: Value,
  weights: Weights,
  group: (tokens: Value, layer: Weights, index: number) => Value,
  { firstNorm = 'patch_embed.norm', layers = 'layers', lastNorm = 'norm' }: GroupKeys = {},
): Value {
  const tokens = toTokens(map);
  const entered = weights.has(firstNorm) ? layerNorm(tokens, weights.at(firstNorm), LAYER_NORM_EPSILON) : tokens;
  const left = chain(entered, weights.list(layers), group);
  return toMap(layerNorm(left, weights.at(lastNorm), LAYER_NORM_EPSILON), map);
}

/** A group's own convolution behind its blocks, added to what went in. */
export function groupConv(blocks: Value, x: Value, layer: Weights, map: Value): Value {
  return toTokens(residualConv(toMap(blocks, map), layer.at('conv'))).add(x);
}
