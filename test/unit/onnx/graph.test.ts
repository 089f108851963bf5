import { describe, expect, it } from '@jest/globals';
import { GraphError } from '../../../app/onnx/errors.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import { ELEMENT_CODES } from '../../../app/onnx/model-proto.ts';
import type { WeightTensor } from '../../../app/onnx/weights.ts';
import { readModel } from '../../support/networks/onnx-model.ts';

function weight(type: WeightTensor['type'], name = 'conv.weight'): WeightTensor {
  return { name, type, shape: [4], data: { location: 'weights.pth', offset: 64, length: 8 } };
}

describe('A graph', () => {
  it('names sizes that are open after the input and their axis', () => {
    const graph = new Graph();
    graph.output('y', graph.input('x', 'float32', [1, null, 8]));
    const { inputs, outputs } = readModel(graph.serialize());
    expect(inputs).toEqual([{ name: 'x', type: 1, shape: [1, 'x_1', 8] }]);
    expect(outputs).toEqual([{ name: 'y', type: 1, shape: [1, 'y_1', 8] }]);
  });

  it('holds each weight and each constant once, however often they are used', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [4]);
    const shared = weight('float32');
    graph.output('y', x.multiply(graph.weight(shared)).add(graph.weight(shared)).scale(0.2).scale(0.2).scale(0.3));
    const { initializers } = readModel(graph.serialize());
    expect(initializers.map(({ name }) => name)).toEqual(['conv.weight', 'constant_0', 'constant_1']);
  });

  it.each(['float16', 'bfloat16', 'float64', 'int64', 'uint8'] as const)('reads weights of %s as float32', (type) => {
    const graph = new Graph();
    const value = graph.weight(weight(type));
    graph.output('y', value);
    const { initializers, nodes } = readModel(graph.serialize());
    expect([value.type, value.shape]).toEqual(['float32', [4]]);
    expect(initializers[0]?.type).toBe(ELEMENT_CODES[type]);
    expect(nodes[0]).toMatchObject({ op: 'Cast', inputs: ['conv.weight'], attributes: { to: { int: 1n } } });
  });

  it('takes float32 weights as they are', () => {
    const graph = new Graph();
    graph.output('y', graph.weight(weight('float32')));
    expect(readModel(graph.serialize()).nodes.map(({ op }) => op)).toEqual(['Identity']);
  });

  it('gives every value of a node a name of its own', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const outputs = [1, 2, 3].flatMap(() =>
      graph.nodes({ op: 'TopK', inputs: [x, null] }, [
        { shape: [2], type: 'float32' },
        { shape: [2], type: 'int64' },
      ]),
    );
    expect(new Set(outputs.map(({ name }) => name)).size).toBe(6);
    expect(readModel(graph.serialize()).nodes[0]?.inputs).toEqual(['x', '']);
  });

  it('declares a domain that it uses, and no other', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    expect(readModel(graph.serialize()).opsets).toEqual({ '': 20 });
    graph.node({ op: 'BiasGelu', inputs: [x, x], domain: 'com.microsoft' }, [2]);
    expect(readModel(graph.serialize()).opsets).toEqual({ '': 20, 'com.microsoft': 1 });
  });

  it('tells shapes that do not fit while it is built', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 3, 8, 8]);
    const y = graph.input('y', 'float32', [1, 4, 8, 8]);
    expect(() => x.add(y)).toThrow(new GraphError('Add: shapes [1,3,8,8] of x and [1,4,8,8] of y do not fit'));
    expect(() => graph.input('z', 'float32', [1, 3, 7, 8]).pixelUnshuffle(2)).toThrow('7 is no multiple of 2');
  });
});
