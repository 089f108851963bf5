import type { AttentionInputs } from '../../../onnx/attention.ts';
import { continuousPositions } from '../../../onnx/windows/continuous-positions.ts';
import type { Graph } from '../../../onnx/graph.ts';
import { linear } from '../../../onnx/linear.ts';
import { toMap } from '../../../onnx/tokens.ts';
import type { Value } from '../../../onnx/value.ts';
import { attendInWindows, logitScale, positionBias } from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import type { WindowLayout } from '../../../onnx/windows/windows.ts';
import { regionMask, Windows } from '../../../onnx/windows/windows.ts';
import type { AnchorKind } from './grl-projections.ts';
import { anchorsOf, queriesKeysValues } from './grl-projections.ts';

type Sides = readonly [height: number, width: number];

/** Sides in pixels. */
export interface GrlSize {
  readonly window: number;
  /** Of the stripes of even blocks; those of odd ones lie across. */
  readonly stripe: Sides;
  /** Pixels along a side that an anchor stands for. */
  readonly down: number;
  /** How anchors are made. */
  readonly kind: AnchorKind;
}

/** What is known of queries and keys in windows before there are any: for all blocks of a graph alike. */
interface Pairs {
  /** Of windows, in tokens. */
  readonly queries: Sides;
  readonly keys: Sides;
  /** Rows of a table of distances. */
  readonly places: Value;
  readonly mask: Value | undefined;
}

/** Windows of pixels, and windows of anchors at the same places. */
interface Stripes {
  readonly pixels: Windows;
  readonly anchors: Windows;
  readonly anchorsToPixels: Pairs;
  readonly pixelsToAnchors: Pairs;
}

interface SquareWindows {
  readonly cut: Windows;
  readonly pairs: Pairs;
}

/** What blocks share. */
export interface GrlStripes {
  readonly map: Value;
  readonly size: GrlSize;
  readonly hasBias: boolean;
  readonly plain: SquareWindows;
  readonly shifted: SquareWindows;
  /** Of blocks 0, 1, 2 and 3; those of others repeat. */
  readonly stripes: readonly Stripes[];
}

/** @param map [N, C, H, W], whose sides they are for */
export function grlStripes(map: Value, size: GrlSize, hasBias: boolean): GrlStripes {
  const square = [size.window, size.window] as const;
  const layout = { height: map.size(2), width: map.size(3), window: square };
  const half = Math.floor(size.window / 2);
  const windows = (shift: Sides): SquareWindows => {
    const cut = new Windows(map.graph, { ...layout, shift });
    return { cut, pairs: pairsOf(map.graph, { queries: square, keys: square }, cut.mask) };
  };
  const across = [size.stripe[1], size.stripe[0]] as const;
  const each = (isShifted: boolean): Stripes[] =>
    [size.stripe, across].map((sides) => stripesOf(map, sides, size.down, isShifted));
  return {
    map,
    size,
    hasBias,
    plain: windows([0, 0]),
    shifted: windows([half, half]),
    stripes: [...each(false), ...each(true)],
  };
}

function stripesOf({ graph, shape }: Value, sides: Sides, down: number, isShifted: boolean): Stripes {
  const [mapHeight = 0, mapWidth = 0] = shape.slice(2).map((side) => side ?? 0);
  const shift = isShifted ? ([Math.floor(sides[0] / 2), Math.floor(sides[1] / 2)] as const) : ([0, 0] as const);
  const fewer = ([height, width]: Sides): Sides => [Math.floor(height / down), Math.floor(width / down)];
  const pixels: WindowLayout = { height: mapHeight, width: mapWidth, window: sides, shift };
  const [height, width] = fewer([mapHeight, mapWidth]);
  const few = fewer(sides);
  const anchors: WindowLayout = { height, width, window: few, shift: fewer(shift) };
  const mask = (queries: WindowLayout, keys: WindowLayout): Value | undefined =>
    isShifted ? regionMask(graph, queries, keys) : undefined;
  return {
    pixels: new Windows(graph, pixels),
    anchors: new Windows(graph, anchors),
    anchorsToPixels: pairsOf(graph, { queries: few, keys: sides }, mask(anchors, pixels)),
    pixelsToAnchors: pairsOf(graph, { queries: sides, keys: few }, mask(pixels, anchors)),
  };
}

function pairsOf(
  graph: Graph,
  { queries, keys }: { readonly queries: Sides; readonly keys: Sides },
  mask: Value | undefined,
): Pairs {
  const span = queries[1] + keys[1] - 1;
  const count = queries[0] * queries[1] * keys[0] * keys[1];
  const places = Array.from({ length: count }, (_, pair) => {
    const [query, key] = [Math.floor(pair / (keys[0] * keys[1])), pair % (keys[0] * keys[1])];
    const down = Math.floor(query / queries[1]) - Math.floor(key / keys[1]) + keys[0] - 1;
    return down * span + (query % queries[1]) - (key % keys[1]) + keys[1] - 1;
  });
  return { queries, keys, mask, places: graph.integers(places) };
}

/** Half of the channels in windows, half in stripes: [N, H W, C] to the like. */
export function mixedAttention(x: Value, weights: Weights, index: number, shared: GrlStripes): Value {
  const half = x.size(2) / 2;
  const projected = queriesKeysValues(x, weights.at('qkv.body'), shared);
  const part = (at: number): Value => projected.slice(2, at * half, (at + 1) * half);
  const near = windowAttention(
    { query: part(0), key: part(1), value: part(2) },
    weights.at('window_attn.attn_transform'),
    index % 2 === 0 ? shared.shifted : shared.plain,
  );
  const anchors = anchorsOf(toMap(x, shared.map), weights.at('anchor'), shared.size);
  const inputs = { query: part(3), key: part(4), value: part(5) };
  const far = stripeAttention(inputs, anchors, weights.at('stripe_attn'), stripesFor(shared, index));
  return linear(near.concat([far], 2), weights.at('proj'));
}

function stripesFor({ stripes }: GrlStripes, index: number): Stripes {
  const found = stripes[index % 4];
  if (!found) throw new RangeError(`no stripes for block ${index}`);
  return found;
}

function windowAttention(inputs: AttentionInputs, weights: Weights, { cut, pairs }: SquareWindows): Value {
  const part = (tokens: Value): Value => cut.partition(tokens);
  const parts = { query: part(inputs.query), key: part(inputs.key), value: part(inputs.value) };
  return cut.merge(attendByCosine(parts, weights, pairs));
}

/** Anchors gather from the pixels of their stripe; then the pixels ask the anchors. */
function stripeAttention(inputs: AttentionInputs, means: Value, weights: Weights, stripes: Stripes): Value {
  const { pixels, anchorsToPixels, pixelsToAnchors } = stripes;
  const anchors = stripes.anchors.partition(means);
  const ofPixels = { query: anchors, key: pixels.partition(inputs.key), value: pixels.partition(inputs.value) };
  const gathered = attendByCosine(ofPixels, weights.at('attn_transform1'), anchorsToPixels);
  const ofAnchors = { query: pixels.partition(inputs.query), key: anchors, value: gathered };
  return pixels.merge(attendByCosine(ofAnchors, weights.at('attn_transform2'), pixelsToAnchors));
}

function attendByCosine(inputs: AttentionInputs, weights: Weights, pairs: Pairs): Value {
  const scale = logitScale(inputs.query.graph, weights);
  const bias = biasOf(inputs.query.graph, weights, pairs);
  return attendInWindows(inputs, { heads: scale.size(0), logitScale: scale, isCosine: true, bias, mask: pairs.mask });
}

/** [heads, queries, keys]: what the distance of two places of a window is worth; one of both kinds may be fewer. */
function biasOf(graph: Graph, weights: Weights, { queries, keys, places }: Pairs): Value {
  const distances = ([0, 1] as const).map((axis) => {
    const [more, fewer] = [Math.max(queries[axis], keys[axis]), Math.min(queries[axis], keys[axis])];
    const margin = Math.floor((more - fewer) / 2);
    return { first: 1 - fewer - margin, last: more - 1 - margin };
  });
  const [rows = { first: 0, last: 0 }, columns = rows] = distances;
  const table = continuousPositions(graph, weights.at('cpb_mlp'), [rows, columns]);
  return positionBias(table, places, [queries[0] * queries[1], keys[0] * keys[1]]);
}
