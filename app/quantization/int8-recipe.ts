import { GraphError } from '../onnx/errors.ts';
import type { DenseBlock } from './dense-block.ts';
import { convsOf } from './folded-weights.ts';
import type { HeadRecipe, SeenHead } from './head-recipe.ts';
import { headRecipe } from './head-recipe.ts';
import type { Int8Parts } from './int8-graph.ts';
import type { Moments } from './moments.ts';
import type { Ranges } from './ranges.ts';
import type { BlockScales } from './scales.ts';
import { blockScales, trunkScales } from './scales.ts';
import { shortened, shortOf } from './short-numbers.ts';

/** All that calibrating found out: with it any file of the same weights is brought into its int8 form, without a picture. */
export interface Int8Recipe {
  /** What every channel of the trunk is divided by. */
  readonly trunk: readonly number[];
  readonly blocks: readonly BlockRecipe[];
  /** Missing where the head stays float32. */
  readonly head?: HeadRecipe | undefined;
}

export interface BlockRecipe {
  /** Steps of the block's input and of what its last convolution makes, times the trunk's. */
  readonly input: number;
  readonly output: number;
  /** Scales of what the other convolutions make, by channel. */
  readonly convs: readonly (readonly number[])[];
  /** What the last convolution reads on average, by channel, in its scales. */
  readonly means: readonly number[];
  /** How much pixels that lie `LAGS` apart vary together, 1 at no distance. */
  readonly correlations: readonly number[];
}

/** What float32 made of the pictures that calibrate. */
interface Seen {
  readonly parts: Int8Parts;
  readonly ranges: Ranges;
  readonly moments: readonly Moments[];
  readonly head?: SeenHead | undefined;
}

/**
 * The scales by which blocks, trunk and head are made 8-bit, from what was seen of their values.
 * @param margin that of `trunkScales`
 */
export function int8Recipe({ parts: { blocks }, ranges, moments, head }: Seen, margin: number): Int8Recipe {
  const { trunk, blocks: scales } = trunkScales(blocks, ranges, margin);
  return {
    trunk: shortened(trunk),
    blocks: blocks.map((block, index) => {
      const [own, seen] = [scales[index], moments[index]];
      if (!own || !seen) throw new GraphError(`dense block ${index} was not watched`);
      return blockRecipe(block, own, seen);
    }),
    ...(head && { head: headRecipe(head) }),
  };
}

function blockRecipe(block: DenseBlock, { input, output, values }: BlockScales, moments: Moments): BlockRecipe {
  const read = values.get(block.last.input) ?? new Float64Array();
  const others = convsOf(block).filter((conv) => conv !== block.last);
  return {
    ...{ input: shortOf(input), output: shortOf(output) },
    convs: others.map((conv) => shortened(values.get(conv.output) ?? [])),
    means: shortened(moments.means().map((mean, channel) => mean / (read[channel] ?? 1))),
    correlations: shortened(moments.correlations(read)),
  };
}

/** The scales of every value of a network's dense blocks. @throws GraphError where the recipe is another network's */
export function scalesOf({ trunk, blocks }: Int8Recipe, declared: readonly DenseBlock[]): BlockScales[] {
  if (blocks.length !== declared.length) {
    throw new GraphError(`a recipe for ${blocks.length} dense blocks, but there are ${declared.length}`);
  }
  return declared.map((block, index) => {
    const recipe = blocks[index];
    if (!recipe) throw new GraphError(`there is no recipe for dense block ${index}`);
    const others = convsOf(block).filter((conv) => conv !== block.last);
    const convs = new Map(others.map(({ output }, at) => [output, Float64Array.from(recipe.convs[at] ?? [])]));
    return blockScales(block, Float32Array.from(trunk), { ...recipe, convs });
  });
}
