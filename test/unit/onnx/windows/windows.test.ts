import { describe, expect, it } from '@jest/globals';
import { Graph } from '../../../../app/onnx/graph.ts';
import { relativePositions } from '../../../../app/onnx/windows/window-attention.ts';
import { Windows } from '../../../../app/onnx/windows/windows.ts';

/** The int64 constants of a graph, in the order in which they were made. */
function integersOf(graph: Graph): number[][] {
  return graph.contents().initializers.flatMap(({ type, data }) => {
    if (type !== 'int64' || !(data instanceof Uint8Array)) return [];
    return [Array.from(new BigInt64Array(data.slice().buffer), Number)];
  });
}

describe('Windows', () => {
  it('take the tokens of a map window by window', () => {
    const graph = new Graph();
    const windows = new Windows(graph, { height: 2, width: 6, window: [2, 2] });
    const [cut, join] = integersOf(graph);
    expect([windows.count, windows.tokens, windows.mask]).toEqual([3, 4, undefined]);
    expect(cut).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
    expect(join).toEqual([0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]);
  });

  it('are rolled up and to the left, and keep apart what rolling brought together', () => {
    const graph = new Graph();
    const windows = new Windows(graph, { height: 2, width: 4, window: [2, 2], shift: [0, 1] });
    const [cut, join] = integersOf(graph);
    expect(cut).toEqual([1, 2, 5, 6, 3, 0, 7, 4]);
    expect(join).toEqual([5, 0, 1, 4, 7, 2, 3, 6]);
    expect(windows.mask?.shape).toEqual([2, 4, 4]);
  });

  it('are filled up with the row of zeros behind the map', () => {
    const graph = new Graph();
    new Windows(graph, { height: 1, width: 3, window: [2, 2] });
    const [cut, join] = integersOf(graph);
    expect(cut).toEqual([0, 1, 3, 3, 2, 3, 3, 3]);
    expect(join).toEqual([0, 1, 4]);
  });

  it('give back what they took', () => {
    const graph = new Graph();
    const windows = new Windows(graph, { height: 5, width: 7, window: [2, 3], shift: [1, 1] });
    const map = graph.input('map', 'float32', [2, 35, 6]);
    const parts = windows.partition(map);
    expect(parts.shape).toEqual([2 * 9, 6, 6]);
    expect(windows.merge(parts).shape).toEqual([2, 35, 6]);
    const [cut = [], join = []] = integersOf(graph);
    expect(join.map((place) => cut[place])).toEqual(Array.from({ length: 35 }, (_, index) => index));
  });
});

describe('Relative positions', () => {
  it('of a window of 2 x 3 are rows of a table of 3 x 5', () => {
    const graph = new Graph();
    relativePositions(graph, [2, 3]);
    const [rows = []] = integersOf(graph);
    expect(rows.slice(0, 6)).toEqual([7, 6, 5, 2, 1, 0]); // of the first token against all
    expect(rows.slice(30)).toEqual([14, 13, 12, 9, 8, 7]); // of the last
  });
});
