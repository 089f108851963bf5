import type { AttentionInputs } from '../../../onnx/attention.ts';
import type { Graph } from '../../../onnx/graph.ts';
import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, positionBias, relativePositions } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { Windows } from '../../../onnx/windows/windows.ts';
import { UnknownNetworkError } from '../../errors.ts';
import { LAYER_NORM_EPSILON } from './transformer-parts.ts';

/** Height and width of the windows of the first half of the channels; those of the second half lie across. */
export type Split = readonly [number, number];

/** The cuts and positions that all blocks share, for the two halves of the channels. */
export interface Rectangles {
  readonly split: Split;
  readonly plain: readonly Windows[];
  readonly shifted: readonly Windows[];
  readonly positions: readonly Value[];
}

/** Sides s0 <= s1 of a window, of which the file tells s0 s1 and (2 s0 - 1)(2 s1 - 1). */
export function splitOf(attention: Weights, family: string): Split {
  const tokens = attention.dim('relative_position_index', 0);
  return splitOfCounts(tokens, attention.dim('rpe_biases', 0), `${family} (rpe_biases)`);
}

/**
 * @param tokens s0 s1
 * @param positions (2 s0 - 1)(2 s1 - 1)
 */
export function splitOfCounts(tokens: number, positions: number, family: string): Split {
  const sum = (4 * tokens + 1 - positions) / 2;
  const difference = Math.sqrt(sum ** 2 - 4 * tokens);
  const split = [(sum - difference) / 2, (sum + difference) / 2] as const;
  if (split.every((side) => Number.isInteger(side) && side > 0)) return split;
  throw new UnknownNetworkError(`${family}: windows of ${tokens} tokens that are no rectangles; none is known`);
}

/** Of a map [N, C, H, W]; both its sides are filled up to a multiple of the longer side of a window. */
export function rectangles({ graph, shape }: Value, split: Split): Rectangles {
  const [height = 0, width = 0] = shape.slice(2).map((side) => side ?? 0);
  const windows = [split, [split[1], split[0]] as const];
  const layout = { height, width, multipleOf: Math.max(...split) };
  const half = ([h, w]: Split): Split => [Math.floor(h / 2), Math.floor(w / 2)];
  return {
    split,
    plain: windows.map((window) => new Windows(graph, { ...layout, window })),
    shifted: windows.map((window) => new Windows(graph, { ...layout, window, shift: half(window) })),
    positions: windows.map((window) => relativePositions(graph, window)),
  };
}

/** Of a group's blocks, whose even ones attend in windows, those that are shifted. */
export function isShiftedBlock(group: number, index: number): boolean {
  return group % 2 === 0 ? index % 4 === 2 : index % 4 === 0;
}

/** What the blocks of one network are in their own way. */
export interface RectangleScores {
  /** Of each half of the channels. */
  readonly heads: number;
  readonly isShifted: boolean;
  /** Whether tokens see what only rolling brought beside them. */
  readonly isUnmasked?: boolean;
  /** For each half a table of biases [rows, heads]. */
  readonly tables: readonly Value[];
}

/** Attention of halves of the channels in windows that lie across each other: [N, H W, C] each to the like. */
export function attendInRectangles(
  { query, key, value }: AttentionInputs,
  shared: Rectangles,
  { heads, isShifted, isUnmasked = false, tables }: RectangleScores,
): Value {
  const half = query.size(2) / 2;
  const [first = query, ...others] = (isShifted ? shared.shifted : shared.plain).map((windows, index) => {
    const part = (tokens: Value): Value => windows.partition(tokens.slice(2, index * half, (index + 1) * half));
    const [table = query, rows = query] = [tables[index], shared.positions[index]];
    const bias = positionBias(table, rows, [windows.tokens, windows.tokens]);
    const inputs = { query: part(query), key: part(key), value: part(value) };
    return windows.merge(attendInWindows(inputs, { heads, bias, mask: isUnmasked ? undefined : windows.mask }));
  });
  return first.concat(others, 2);
}

/** The table of a half whose file has its positions beside its network (`rpe_biases`, `pos`). */
export function rectangleTable(graph: Graph, attention: Weights, { split }: Rectangles, heads: number): Value {
  const rows = split.reduce((product, side) => product * (2 * side - 1), 1);
  const positions = graph.weight(attention.take('rpe_biases', [rows, 2]));
  return positionTable(positions, attention.at('pos'), heads);
}

/**
 * Biases by relative position [rows, heads], out of a small network that sees the positions [rows, 2]: constants once the session is loaded.
 */
export function positionTable(positions: Value, weights: Weights, heads: number): Value {
  const layers = ['pos1', 'pos2', 'pos3'].map((name) => weights.at(name));
  const table = layers.reduce(
    (x, layer) => linear(layerNorm(x, layer.at(0), LAYER_NORM_EPSILON).relu(), layer.at(2)),
    linear(positions, weights.at('pos_proj')),
  );
  if (table.size(1) === heads) return table;
  throw new UnknownNetworkError(`positions of ${table.size(1)} heads for ${heads} heads; no such network is known`);
}
