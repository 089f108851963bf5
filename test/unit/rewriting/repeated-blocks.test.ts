import { describe, expect, it } from '@jest/globals';
import { chain } from '../../../app/onnx/chain.ts';
import { convolve } from '../../../app/onnx/convolution.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import type { ProtoBody, ProtoNode } from '../../../app/onnx/model-proto.ts';
import type { Value } from '../../../app/onnx/value.ts';
import { repeatedBlocks } from '../../../app/rewriting/repeated-blocks.ts';
import { scanGraph } from '../../../app/rewriting/scan-graph.ts';

type Step = (x: Value, index: number) => Value;

/** A graph of so many blocks, with an output behind them; `end` may use what was made on the way. */
function blocksOf(count: number, step: Step, end: (x: Value) => Value = (x) => x): Graph {
  const graph = new Graph();
  const picture = graph.input('picture', 'float32', [1, 2, 4, 4]);
  const indices = Array.from({ length: count }, (_, index) => index);
  graph.output('result', end(chain(picture, indices, (x, index) => step(x, index))));
  return graph;
}

/** A convolution whose weights are all `value`. */
function conv(x: Value, value: number, channels = 2): Value {
  const weight = x.graph.constant(new Array<number>(channels * x.size(1)).fill(value), [channels, x.size(1), 1, 1]);
  return convolve(x, { weight });
}

/** What a loop does each time. */
function bodyOf(loop: ProtoNode | undefined): ProtoBody {
  const { body } = loop?.attributes ?? {};
  if (typeof body !== 'object' || !('body' in body)) throw new Error('no loop');
  return body.body;
}

const opsIn = (loop: ProtoNode | undefined): string[] => bodyOf(loop).nodes.map(({ op }) => op);

const rows = (graph: Graph): number[] => repeatedBlocks(graph.contents()).map(({ blocks }) => blocks.length);

describe('Blocks that are alike', () => {
  it('differ in nothing but the numbers of their weights', () => {
    expect(rows(blocksOf(5, (x, i) => conv(x, i).relu()))).toEqual([5]);
    expect(rows(blocksOf(4, (x, i) => (i < 2 ? conv(x, i).relu() : conv(x, i).sigmoid())))).toEqual([2, 2]);
    expect(rows(blocksOf(3, (x, i) => conv(x, i).leakyRelu(0.1 * i)))).toEqual([]);
    expect(rows(blocksOf(3, (x, i) => conv(x, i).pad([0, 0, i, 0], 'edge').slice(2, 0, 4)))).toEqual([]);
  });

  it('have weights of the same shapes, and give what they took', () => {
    expect(rows(blocksOf(4, (x, i) => conv(conv(x, i, 2 + (i >> 1)), i)))).toEqual([2, 2]);
    expect(rows(blocksOf(3, (x, i) => conv(x, i, x.size(1) + 1)))).toEqual([]);
  });

  it('may be alike by twos, as where every second one is turned', () => {
    const graph = blocksOf(7, (x, i) => (i % 2 === 0 ? conv(x, i).relu() : conv(x.flip([2]), i)));
    const [row] = repeatedBlocks(graph.contents());
    expect(row?.blocks.length).toBe(3);
    expect(row?.blocks[0].steps.map(({ op }) => op)).toEqual(['Conv', 'Relu', 'Slice', 'Conv']);
  });

  it('end where something later uses what was made inside one or behind one', () => {
    const inner: Value[] = [];
    const keep = (x: Value): Value => {
      inner.push(x);
      return x;
    };
    const inside = (x: Value, i: number): Value => keep(conv(x, i)).relu();
    expect(rows(blocksOf(6, inside, (x) => x.add(inner[2] ?? x)))).toEqual([2, 3]);
    inner.length = 0;
    const behind = (x: Value, i: number): Value => keep(conv(x, i).relu());
    expect(rows(blocksOf(6, behind, (x) => x.add(inner[2] ?? x)))).toEqual([3, 3]);
  });

  it('are looked for within larger ones where those are not alike', () => {
    const group = (x: Value, parts: number): Value =>
      chain(x, new Array<number>(parts).fill(1), (y, _, i) => conv(y, i));
    expect(rows(blocksOf(3, (x) => group(x, 4)))).toEqual([3]);
    expect(rows(blocksOf(2, (x, i) => group(x, 2 + i)))).toEqual([2, 3]);
  });

  it('hold the rows within the first of them', () => {
    const group = (x: Value): Value => chain(x, [0, 1, 2, 3], (y, _, i) => conv(y, i)).relu();
    const inner = (graph: Graph): number[] =>
      repeatedBlocks(graph.contents()).flatMap((row) => row.inner.map(({ blocks }) => blocks.length));
    expect(inner(blocksOf(3, group))).toEqual([4]);
    const twoByTwo = blocksOf(6, (x, i) => (i % 2 === 0 ? group(x) : conv(x, 10 + i)));
    expect(inner(twoByTwo)).toEqual([4]);
    expect(inner(blocksOf(3, (x, i) => conv(x, i)))).toEqual([]);
  });
});

describe('A graph with loops', () => {
  it('has one body for a row of blocks, and stacks of what changes in it', () => {
    const nodes = scanGraph(blocksOf(5, (x, i) => conv(x, i).scale(0.5)).contents()).nodes;
    expect(nodes.filter(({ op }) => op === 'Conv')).toEqual([]);
    const loop = nodes.find(({ op }) => op === 'Scan');
    expect(loop?.inputs.length).toBe(2);
    expect(opsIn(loop)).toEqual(['Conv', 'Mul']);
  });

  it('has loops within a loop where that spares convolutions', () => {
    const group = (x: Value, i: number): Value =>
      chain(x, [0, 1, 2], (y, _, j) => conv(conv(y, 3 * i + j), 10 + j)).add(x);
    const graph = blocksOf(4, group).contents();
    const outer = scanGraph(graph);
    const loop = outer.nodes.find(({ op }) => op === 'Scan');
    expect(opsIn(loop)).toEqual(['Scan', 'Add']);
    const inner = bodyOf(loop).nodes.find(({ op }) => op === 'Scan');
    expect(opsIn(inner)).toEqual(['Conv', 'Conv']);
    // Weights that are others in each turn of either come with two axes more; those of the inner one alone are stacked once for all.
    expect(bodyOf(loop).inputs.map(({ shape }) => shape)).toEqual([
      [1, 2, 4, 4],
      [3, 2, 2, 1, 1],
    ]);
    expect(bodyOf(inner).inputs.map(({ shape }) => shape)).toEqual([
      [1, 2, 4, 4],
      [2, 2, 1, 1],
      [2, 2, 1, 1],
    ]);
    expect(
      opsIn(scanGraph(graph, Infinity).nodes.find(({ op }) => op === 'Scan')).filter((op) => op === 'Conv'),
    ).toHaveLength(6);
  });

  it('is the graph itself where no blocks are alike', () => {
    const contents = blocksOf(1, (x) => conv(x, 1)).contents();
    expect(scanGraph(contents)).toBe(contents);
    const same = blocksOf(3, (x) => conv(x, 1)).contents();
    expect(scanGraph(same)).toBe(same);
  });
});
