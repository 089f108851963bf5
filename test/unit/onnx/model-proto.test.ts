import { describe, expect, it } from '@jest/globals';
import type { ProtoGraph } from '../../../app/onnx/model-proto.ts';
import { ELEMENT_CODES, serializeModel } from '../../../app/onnx/model-proto.ts';
import { readModel } from '../../support/networks/onnx-model.ts';

const EMPTY: ProtoGraph = { opset: 20, domains: new Map(), inputs: [], outputs: [], nodes: [], initializers: [] };

describe('serializeModel', () => {
  it('says which operators it means', () => {
    const model = readModel(serializeModel({ ...EMPTY, domains: new Map([['com.microsoft', 1]]) }));
    expect(model.irVersion).toBe(9);
    expect(model.opsets).toEqual({ '': 20, 'com.microsoft': 1 });
  });

  it('writes inputs and outputs with sizes and with names of sizes', () => {
    const pixels = { name: 'pixels', type: 'uint8', shape: ['pixels_0', 7, 3] } as const;
    const scalar = { name: 'has_nan', type: 'int32', shape: [] } as const;
    const model = readModel(serializeModel({ ...EMPTY, inputs: [pixels], outputs: [scalar] }));
    expect(model.inputs).toEqual([{ ...pixels, type: ELEMENT_CODES.uint8 }]);
    expect(model.outputs).toEqual([{ ...scalar, type: ELEMENT_CODES.int32 }]);
  });

  it('writes attributes of every kind with their types', () => {
    const attributes = { group: 2, alpha: { float: 0.2 }, mode: 'CRD', pads: [1, -1, 3] };
    const node = { op: 'Any', domain: 'com.microsoft', inputs: ['a', '', 'c'], outputs: ['y', 'z'], attributes };
    const [read] = readModel(serializeModel({ ...EMPTY, nodes: [node] })).nodes;
    expect(read).toEqual({
      op: 'Any',
      domain: 'com.microsoft',
      inputs: ['a', '', 'c'],
      outputs: ['y', 'z'],
      attributes: {
        group: { type: 2, int: 2n, ints: [] },
        alpha: { type: 1, float: Math.fround(0.2), ints: [] },
        mode: { type: 3, string: 'CRD', ints: [] },
        pads: { type: 7, ints: [1n, -1n, 3n] },
      },
    });
  });

  it('points weights at the checkpoint and carries constants along', () => {
    const weight = {
      name: 'w',
      type: 'bfloat16',
      shape: [2, 3],
      data: { location: 'a b.pth', offset: 5e9, length: 12 },
    } as const;
    const constant = { name: 'c', type: 'int64', shape: [1], data: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) } as const;
    const { initializers } = readModel(serializeModel({ ...EMPTY, initializers: [weight, constant] }));
    expect(initializers).toEqual([
      { name: 'w', type: 16, shape: [2, 3], external: { location: 'a b.pth', offset: '5000000000', length: '12' } },
      { name: 'c', type: 7, shape: [1], bytes: constant.data, external: {} },
    ]);
  });
});
