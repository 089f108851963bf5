import { describe, expect, it } from '@jest/globals';
import { attend, multiHeadAttention } from '../../../app/onnx/attention.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import { linear } from '../../../app/onnx/linear.ts';
import { Weights } from '../../../app/onnx/weights.ts';
import { shapeDict } from '../../support/checkpoints/shape-dict.ts';

const weightsOf = (shapes: Record<string, readonly number[]>) => Weights.of(shapeDict(new Map(Object.entries(shapes))));

describe('Attention', () => {
  const tokens = (graph: Graph, ...shape: number[]) => graph.input(`tokens${shape.join('_')}`, 'float32', shape);
  const shapes = {
    in_proj_weight: [48, 16],
    in_proj_bias: [48],
    'out_proj.weight': [16, 16],
    'out_proj.bias': [16],
  };

  it('answers one token for every query, whatever there is to look at', () => {
    const graph = new Graph();
    const weights = weightsOf(shapes);
    const memory = tokens(graph, 2, 30, 16);
    const inputs = { query: tokens(graph, 2, 5, 16), key: memory, value: memory };
    expect(multiHeadAttention(inputs, weights, 4).shape).toEqual([2, 5, 16]);
    expect(() => weights.assertAllRead()).not.toThrow();
  });

  it('looks with the same queries at every picture', () => {
    const graph = new Graph();
    const memory = tokens(graph, 3, 30, 16);
    const inputs = { query: tokens(graph, 1, 5, 16), key: memory, value: memory };
    expect(multiHeadAttention(inputs, weightsOf(shapes), 4).shape).toEqual([3, 5, 16]);
  });

  it('refuses heads that do not share the features evenly', () => {
    const x = tokens(new Graph(), 1, 5, 16);
    expect(() => attend({ query: x, key: x, value: x }, 3)).toThrow('attention: 16 features are not 3 heads');
  });

  it('refuses weights for other features', () => {
    const x = tokens(new Graph(), 1, 5, 8);
    const build = () => multiHeadAttention({ query: x, key: x, value: x }, weightsOf(shapes), 4);
    expect(build).toThrow('in_proj_weight: expected shape [24, 8], the file has [48, 16]');
  });
});

describe('A linear layer', () => {
  it('maps the last axis and keeps the others', () => {
    const x = new Graph().input('x', 'float32', [2, 3, 5, 8]);
    expect(linear(x, weightsOf({ weight: [6, 8], bias: [6] })).shape).toEqual([2, 3, 5, 6]);
  });
});
