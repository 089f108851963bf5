import type { Graph } from '../graph.ts';
import type { Value } from '../value.ts';

/** How a map of tokens is cut into windows. Heights first; in pixels of the map. */
export interface WindowLayout {
  readonly height: number;
  readonly width: number;
  readonly window: readonly [height: number, width: number];
  /** What both sides are filled up to a multiple of; by default the window's own. */
  readonly multipleOf?: number;
  /** By how much the map is rolled up and to the left before it is cut (`torch.roll(x, (-y, -x))`); by default not at all. */
  readonly shift?: readonly [height: number, width: number];
}

/**
 * Shifted windows (Swin Transformer, arXiv:2103.14030) of tokens [N, H W, C], row by row. A side that is no multiple of the window's is
 * filled up with zeros at the right and the bottom. Rolling, filling and cutting are one Gather. Made once for all blocks of a graph that
 * have the same layout.
 */
export class Windows {
  /** Windows in a map. */
  readonly count: number;
  /** Tokens in a window. */
  readonly tokens: number;
  /**
   * -100 between tokens of a window that are no neighbours in the map, which rolling brought together, else 0:
   * [windows, tokens, tokens]. Undefined where nothing was rolled.
   */
  readonly mask: Value | undefined;
  readonly #isFilled: boolean;
  readonly #cut: Value;
  readonly #join: Value;

  constructor(graph: Graph, { height, width, window, multipleOf = 1, shift = [0, 0] }: WindowLayout) {
    const rows = windowAxis(toMultiple(height, multipleOf), window[0], shift[0]);
    const columns = windowAxis(toMultiple(width, multipleOf), window[1], shift[1]);
    this.count = rows.count * columns.count;
    this.tokens = window[0] * window[1];
    this.#isFilled = rows.size !== height || columns.size !== width;
    const places = inWindows(rows, columns, (y, x) => {
      const [row, column] = [rows.source(y), columns.source(x)];
      return row < height && column < width ? row * width + column : height * width;
    });
    const join = new Array<number>(height * width).fill(0);
    places.forEach((place, index) => place < join.length && (join[place] = index));
    this.#cut = graph.integers(places);
    this.#join = graph.integers(join);
    const layout = { height, width, window, multipleOf, shift };
    this.mask = shift.some((side) => side > 0) ? regionMask(graph, layout, layout) : undefined;
  }

  /** [N, H W, C] to [N windows, tokens, C]. */
  partition(map: Value): Value {
    const [n, features] = [map.size(0), map.size(2)];
    const zeros = map.graph.constant(new Array<number>(n * features).fill(0), [n, 1, features]);
    const filled = this.#isFilled ? map.concat([zeros], 1) : map;
    return gatherTokens(filled, this.#cut).reshape([n * this.count, this.tokens, features]);
  }

  /** What `partition` gave, back: [N windows, tokens, C] to [N, H W, C]. */
  merge(windows: Value): Value {
    const features = windows.size(2);
    const n = windows.size(0) / this.count;
    return gatherTokens(windows.reshape([n, this.count * this.tokens, features]), this.#join);
  }
}

/**
 * -100 between tokens that are no neighbours in the map, which rolling brought together, else 0: [windows, tokens, key tokens].
 * @param keys of another map than the queries where keys are fewer; it is cut into as many windows
 */
export function regionMask(graph: Graph, queries: WindowLayout, keys: WindowLayout): Value {
  // Calculated when the session loads, from a number for each token instead of one for each pair.
  const [own, others] = [regionsOf(graph, queries), regionsOf(graph, keys)];
  const difference = own.unsqueeze(2).subtract(others.unsqueeze(1));
  return difference.multiply(difference).clip(0, 1).scale(-100);
}

/** For every token of every window a number of its region: [windows, tokens]. */
function regionsOf(graph: Graph, { height, width, window, multipleOf = 1, shift = [0, 0] }: WindowLayout): Value {
  const rows = windowAxis(toMultiple(height, multipleOf), window[0], shift[0]);
  const columns = windowAxis(toMultiple(width, multipleOf), window[1], shift[1]);
  const regions = inWindows(rows, columns, (y, x) => rows.region(y) * 3 + columns.region(x));
  return graph.constant(regions, [rows.count * columns.count, window[0] * window[1]]);
}

/** One side of the map, filled up. */
interface Axis {
  readonly size: number;
  readonly window: number;
  readonly count: number;
  /** Where what is at a place after rolling was before. */
  readonly source: (place: number) => number;
  /** Places of the same region were neighbours before rolling. */
  readonly region: (place: number) => 0 | 1 | 2;
}

function windowAxis(side: number, window: number, shift: number): Axis {
  const size = toMultiple(side, window);
  const count = size / window;
  return {
    size,
    window,
    count,
    source: (place) => (place + shift) % size,
    region: (place) => (place < size - window ? 0 : place < size - shift ? 1 : 2),
  };
}

function toMultiple(side: number, multipleOf: number): number {
  return Math.ceil(side / multipleOf) * multipleOf;
}

/** A value for every place of the map, window by window. */
function inWindows(rows: Axis, columns: Axis, valueAt: (y: number, x: number) => number): number[] {
  const tokens = rows.window * columns.window;
  return Array.from({ length: rows.size * columns.size }, (_, index) => {
    const [window, token] = [Math.floor(index / tokens), index % tokens];
    const y = Math.floor(window / columns.count) * rows.window + Math.floor(token / columns.window);
    return valueAt(y, (window % columns.count) * columns.window + (token % columns.window));
  });
}

/** Rows of tokens [N, tokens, C] by number: [N, rows, C]. */
export function gatherTokens(map: Value, indices: Value): Value {
  const shape = [map.size(0), indices.size(0), map.size(2)];
  return map.graph.node({ op: 'Gather', inputs: [map, indices], attributes: { axis: 1 } }, shape);
}
