import { chain, counted } from '../../onnx/chain.ts';
import type { ConvOptions } from '../../onnx/convolution.ts';
import { convTranspose } from '../../onnx/convolution.ts';
import { averagePool } from '../../onnx/pooling.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/** Whether the convolutions of a network have biases. */
export type Bias = Pick<ConvOptions, 'bias'>;

/** Three halvings: sides must be a multiple of this. */
export const UNET_MULTIPLE = 8;

/**
 * The convolutions reach hundreds of pixels; what is further away than this is little beside what is near.
 */
export const UNET_FIELD = 64;

/** What the blocks of one level add to their input: two convolutions with a ReLU between. */
export function residualBranch(x: Value, weights: Weights, bias: Bias): Value {
  const branch = weights.at('res');
  return x.conv(branch.at(0), bias).relu().conv(branch.at(2), bias);
}

/** `blocks` residual blocks, `key.0`, `key.1`, ... */
export function residualBlocks(x: Value, weights: Iterable<Weights>, bias: Bias): Value {
  return chain(x, weights, (y, block) => residualBranch(y, block, bias).add(y));
}

/** A level of the encoder: residual blocks, then what halves both sides. */
export function encoderLevel(x: Value, weights: Weights, key: string, bias: Bias): Value {
  const parts = weights.at(key);
  const count = encoderBlocks(weights, key);
  const deep = residualBlocks(
    x,
    counted(count, (index) => parts.at(index)),
    bias,
  );
  if (!isPooled(parts, count)) return deep.conv(parts.at(count), { stride: 2, padding: 0, ...bias });
  return averagePool(deep, { kernel: [2, 2], stride: 2 }).conv(parts.at(count + 1), bias);
}

/** How many blocks lie one behind another at the start of a level; a gap is a missing one. */
function encoderBlocks(weights: Weights, key: string): number {
  const last = weights.indices(key).findLast((index) => weights.has(`${key}.${index}.res`)) ?? -1;
  return last + 1;
}

/** Whether sides are halved by means of pixels, with a convolution behind, and not by a convolution. */
function isPooled(level: Weights, blocks: number): boolean {
  return !level.has(`${blocks}.weight`) && level.has(`${blocks + 1}.weight`);
}

/** A level of the decoder, `key`: what doubles both sides, then `block` for each of the others. */
export function decoderLevel(
  x: Value,
  { weights, key, bias }: { readonly weights: Weights; readonly key: string; readonly bias: Bias },
  block: (x: Value, weights: Weights) => Value,
): Value {
  const parts = weights.at(key);
  const { mode, conv, first } = doublingOf(parts);
  const last = weights.indices(key).at(-1) ?? 0;
  const blocks = counted(last - first + 1, (index) => parts.at(first + index));
  if (mode === 'convtranspose') return chain(convTranspose(x, conv, { stride: 2, ...bias }), blocks, block);
  const doubled = mode === 'upconv' ? x.resizeNearest(2).conv(conv, bias) : x.conv(conv, bias).pixelShuffle(2);
  return chain(doubled, blocks, block);
}

/** What doubles both sides, and the place of the first block behind it. */
interface Doubling {
  readonly mode: 'convtranspose' | 'upconv' | 'pixelshuffle';
  readonly conv: Weights;
  readonly first: number;
}

/** The parts of an enlargement lie beside the blocks (DRUNet) or below a place of their own (FBCNN). */
function doublingOf(level: Weights): Doubling {
  if (level.has('0.1')) return { mode: 'upconv', conv: level.at(0).at(1), first: 1 };
  if (level.has('0.0')) return { mode: 'pixelshuffle', conv: level.at(0).at(0), first: 1 };
  if (level.has('1.weight')) return { mode: 'upconv', conv: level.at(1), first: 2 };
  const isShuffled = level.has('0.weight') && level.dim('0.weight', 2) === SHUFFLED_KERNEL;
  return isShuffled
    ? { mode: 'pixelshuffle', conv: level.at(0), first: 2 }
    : { mode: 'convtranspose', conv: level.at(0), first: 1 };
}

/** A transposed convolution has one of 2. */
const SHUFFLED_KERNEL = 3;

/** How sides are halved and doubled, under the references' names. */
export function samplingModes(weights: Weights): { readonly downsample_mode: string; readonly upsample_mode: string } {
  const encoder = weights.at('m_down1');
  return {
    downsample_mode: isPooled(encoder, encoderBlocks(weights, 'm_down1')) ? 'avgpool' : 'strideconv',
    upsample_mode: doublingOf(weights.at('m_up3')).mode,
  };
}

/** Features at each level (`nc` of the references' constructors). */
export function unetWidths(weights: Weights, body: string): number[] {
  const names = ['m_head', 'm_down2.0.res.0', 'm_down3.0.res.0', `${body}.0.res.0`];
  return names.map((name) => weights.dim(`${name}.weight`, 0));
}
