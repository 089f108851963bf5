import { describe, expect, it } from '@jest/globals';
import { recognise } from '../../../app/architectures/registry.ts';
import { tensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { GraphError } from '../../../app/onnx/errors.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import type { Value } from '../../../app/onnx/value.ts';
import type { WeightTensor } from '../../../app/onnx/weights.ts';
import { denseBlocksOf, int8Graph } from '../../../app/quantization/int8-graph.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';
import { readSmallNetworks } from '../../support/networks/small-networks.ts';

function graphOf(name: string): Graph {
  const network = readSmallNetworks().find((row) => row.name === name);
  const shapes = Object.entries(network?.tensors ?? {}).map(([tensor, [shape]]) => [tensor, shape] as const);
  const found = recognise(shapeDict(new Map(shapes)));
  return tensorGraph(found, [1, found.inputChannels, 16, 16]);
}

const numbers = {
  trunk: Float32Array.of(1),
  blocks: [{ input: 1, output: 1 }],
  operands: () => {
    const tensor = (name: string): WeightTensor => ({ name, shape: [1], type: 'int8', data: Uint8Array.of(1) });
    return { weight: tensor('w'), scale: tensor('s'), bias: tensor('b') };
  },
};

/** A trunk of one dense block. */
function declared(block: (x: Value) => Value, between: (x: Value) => Value = (x) => x): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, 1, 8, 8]);
  const trunk = graph.region('trunk', x, (y) => between(graph.region('dense-block', y, block).add(y)));
  graph.output('y', trunk);
  return graph;
}

function conv(x: Value): Value {
  const weight = x.graph.weight({ name: 'conv.weight', shape: [1, 1, 1, 1], type: 'float32', data: new Uint8Array(4) });
  return x.graph.node({ op: 'Conv', inputs: [x, weight] }, x.shape);
}

describe('The dense blocks of a graph', () => {
  it('are those that its network declares, three to a residual block', () => {
    const blocks = denseBlocksOf(graphOf('new-x4'));
    expect(blocks.length % 3).toBe(0);
    for (const { steps, last, factor } of blocks) {
      expect(steps.filter(({ kind }) => kind === 'conv')).toHaveLength(5);
      expect(steps.at(-1)).toBe(last);
      expect(factor).toBeCloseTo(0.2, 6);
    }
    expect(blocks[0]?.last.weight.name).toBe('body.0.rdb1.conv5.weight');
  });

  it('know weights by their names in the file, whatever they are cast from', () => {
    const [block] = denseBlocksOf(graphOf('new-x4'));
    expect(block?.steps[0]).toMatchObject({ weight: { name: 'body.0.rdb1.conv1.weight' } });
  });

  it.each(['compact-x4', 'compact-x2-gray'])('are none in %s', (name) => {
    expect(denseBlocksOf(graphOf(name))).toEqual([]);
  });

  it('have no 8-bit form with sums inside, as ESRGAN+ has them', () => {
    expect(() => denseBlocksOf(graphOf('plus-x2'))).toThrow(GraphError);
  });

  it.each<[string, (x: Value) => Value, string]>([
    ['another operation', (x) => conv(x.sigmoid()), 'Sigmoid in a dense block has no 8-bit form'],
    ['an activation at their end', (x) => conv(x).relu(), 'a dense block ends with activation'],
    ['nothing', (x) => x, 'a dense block ends with nothing'],
  ])('cannot hold %s', (_, block, message) => {
    expect(() => denseBlocksOf(declared(block))).toThrow(message);
  });

  it('leave a trunk that does more than add and scale as it is', () => {
    expect(() =>
      int8Graph(
        declared(conv, (x) => x.sqrt()),
        numbers,
      ),
    ).toThrow('Sqrt in a trunk of dense blocks');
    expect(
      int8Graph(
        declared(conv, (x) => x.scale(0.5)),
        numbers,
      ).nodes.map(({ op }) => op),
    ).toEqual([
      'Transpose',
      'Mul',
      'QuantizeLinear',
      'QLinearConv',
      'DequantizeLinear',
      'Add',
      'Mul',
      'Mul',
      'Transpose',
      'Identity',
    ]);
  });

  it('copy what was put together before as one piece', () => {
    const graph = graphOf('new-x4');
    const steps = { input: 1, output: 1 };
    const { nodes } = int8Graph(graph, { ...numbers, blocks: denseBlocksOf(graph).map(() => steps) });
    const concats = nodes.filter(({ op }) => op === 'Concat');
    expect(concats.length).toBeGreaterThan(0);
    expect(concats.filter(({ inputs }) => inputs.length !== 2)).toEqual([]);
    const [first, second] = concats;
    expect(second?.inputs[0]).toBe(first?.outputs[0]);
  });

  it('take along no weights that nothing reads any more', () => {
    const { initializers } = int8Graph(declared(conv), numbers);
    expect(initializers.map(({ name }) => name)).not.toContain('conv.weight');
  });
});
