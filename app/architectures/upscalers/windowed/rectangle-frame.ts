import { chain } from '../../../onnx/chain.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { Network } from '../../architecture.ts';
import { UnknownNetworkError } from '../../errors.ts';
import type { Upsampler } from './picture-head.ts';
import type { Rectangles, Split } from './rectangle-attention.ts';
import { isShiftedBlock, rectangles, splitOf } from './rectangle-attention.ts';
import type { SwinFrame } from './swin-frame.ts';
import { betweenNorms, groupConv, readSwinFrame, swinNetwork, frameParameters } from './swin-frame.ts';

/** What is around the blocks of DAT and RGT: SwinIR's frame, and windows that are long and flat. */
export interface RectangleFrame extends SwinFrame {
  readonly split: Split;
}

/** A map of the picture's sides, and what its block is. */
export interface RectangleBlock {
  readonly map: Value;
  readonly shared: Rectangles;
  readonly hasBias: boolean;
  readonly heads: number;
  readonly isShifted: boolean;
}

/**
 * @param upsamplers heads that the family has
 * @throws UnknownNetworkError
 */
export function readRectangleFrame(weights: Weights, family: string, upsamplers: readonly Upsampler[]): RectangleFrame {
  const frame = readSwinFrame(weights, family);
  if (upsamplers.includes(frame.head.upsampler)) {
    return { ...frame, split: splitOf(weights.at('layers.0.blocks.0.attn.attns.0'), family) };
  }
  throw new UnknownNetworkError(
    `a network of the kind of ${family} with the head '${frame.head.upsampler}'; none is known`,
  );
}

/** What both networks say of themselves. Channels or tokens stand for the whole picture, so tiles differ whatever they see. */
export function rectangleNetwork(
  frame: RectangleFrame,
): Pick<Network, 'multipleOf' | 'halo' | 'tiling'> & ReturnType<typeof swinNetwork> {
  return {
    ...swinNetwork(frame),
    multipleOf: 1,
    halo: Math.max(...frame.split),
    tiling: 'whole-image-preferred',
  };
}

/** The parameters of the references' constructors that both have. */
export function rectangleParameters(weights: Weights, frame: RectangleFrame): Network['parameters'] {
  return {
    ...frameParameters(weights, frame),
    split_size: frame.split,
    depth: weights.list('layers').map((layer) => layer.list('blocks').length),
  };
}

/**
 * The groups of blocks between two norms: [N, C, H, W] to the like.
 * @param headsOf a group
 * @param step tokens [N, H W, C] through a block to the like
 */
export function rectangleGroups(
  map: Value,
  weights: Weights,
  { split, hasBias }: RectangleFrame,
  {
    headsOf,
    step,
  }: {
    readonly headsOf: (layer: Weights) => number;
    readonly step: (x: Value, weights: Weights, index: number, block: RectangleBlock) => Value;
  },
): Value {
  const shared = rectangles(map, split);
  const group = (x: Value, layer: Weights, at: number): Value => {
    const heads = headsOf(layer);
    const y = chain(x, layer.list('blocks'), (z, block, index) =>
      step(z, block, index, { map, shared, hasBias, heads, isShifted: isShiftedBlock(at, index) }),
    );
    return groupConv(y, x, layer, map);
  };
  return betweenNorms(map, weights, group, { firstNorm: 'before_RG.1' });
}
