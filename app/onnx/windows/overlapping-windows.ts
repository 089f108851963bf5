import type { Graph } from '../graph.ts';
import type { Value } from '../value.ts';
import { gatherTokens } from './windows.ts';

/** Windows that reach over one another: of `reach` pixels, one around each of the windows that a map is cut into. */
export interface OverlappingLayout {
  /** Of the map, in pixels; multiples of `window`. */
  readonly height: number;
  readonly width: number;
  readonly window: number;
  readonly reach: number;
}

/** Tokens [N, H W, C] to those of each window and around it, zeros beyond the map: [N windows, reach reach, C] (`F.unfold`). */
export function overlappingWindows(map: Value, { height, width, window, reach }: OverlappingLayout): Value {
  const [n, features] = [map.size(0), map.size(2)];
  const [columns, count] = [width / window, (height * width) / window ** 2];
  const margin = Math.floor((reach - window) / 2);
  const places = Array.from({ length: count * reach ** 2 }, (_, index) => {
    const [at, token] = [Math.floor(index / reach ** 2), index % reach ** 2];
    const y = Math.floor(at / columns) * window - margin + Math.floor(token / reach);
    const x = (at % columns) * window - margin + (token % reach);
    return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : height * width;
  });
  const zeros = map.graph.constant(new Array<number>(n * features).fill(0), [n, 1, features]);
  const indices = map.graph.integers(places);
  return gatherTokens(map.concat([zeros], 1), indices).reshape([n * count, reach ** 2, features]);
}

/**
 * Rows of a table of relative positions for every pixel of a window and every pixel of what it reaches: row
 * `(dy + window - reach + 1) (window + reach - 1) + dx + window - reach + 1` for a key at (y, x) of what is reached that lies dy, dx behind a query
 * at (y, x) of the window; rows below 0 count from the end, as the reference's do. int64 [window window reach reach].
 */
export function overlappingPositions(graph: Graph, window: number, reach: number): Value {
  const span = window + reach - 1;
  const first = window - reach + 1;
  const rows = Array.from({ length: window ** 2 * reach ** 2 }, (_, pair) => {
    const [query, key] = [Math.floor(pair / reach ** 2), pair % reach ** 2];
    const dy = Math.floor(key / reach) - Math.floor(query / window);
    const row = (dy + first) * span + (key % reach) - (query % window) + first;
    return row < 0 ? row + span ** 2 : row;
  });
  return graph.integers(rows);
}
