import { describe, expect, it } from '@jest/globals';
import { readOnnxModel } from '../../../app/exported/onnx-model.ts';
import { ProtobufWriter } from '../../../app/onnx/protobuf.ts';
import { refusalOf } from '../checkpoints/refusal.ts';

type Write = (writer: ProtobufWriter) => void;

const message = (write: Write): Buffer => {
  const writer = new ProtobufWriter();
  write(writer);
  return Buffer.from(writer.finish());
};
/** A model of one node, with more in its graph and around it. */
const model = (inGraph: Write = () => undefined, around: Write = () => undefined, opset = 17): Buffer =>
  message((m) => {
    m.varint(1, 8).string(2, 'tests');
    m.message(7, (graph) => {
      graph.message(1, (node) => node.string(1, 'x').string(2, 'y').string(4, 'Relu'));
      inGraph(graph);
      graph.message(11, (value) => value.string(1, 'x'));
      graph.message(12, (value) => value.string(1, 'y'));
    });
    m.message(8, (o) => o.string(1, '').varint(2, opset));
    around(m);
  });
/** A tensor whose elements lie in another file. */
const outside: Write = (tensor) => {
  tensor.varint(1, 1).varint(2, 1).string(8, 'w');
  tensor.message(13, (entry) => entry.string(1, 'location').string(2, '../../etc/passwd'));
  tensor.varint(14, 1);
};
const constant =
  (field: number, write: Write): Write =>
  (node) =>
    node
      .string(2, 'c')
      .string(4, 'Constant')
      .message(5, (attribute) => attribute.string(1, 'value').message(field, write));

describe('readOnnxModel', () => {
  it('reads what goes in, what comes out and what is small', () => {
    const bytes = model((graph) => {
      graph.message(5, (t) =>
        t
          .varint(2, 1)
          .string(8, 'half')
          .bytes(9, Buffer.from(Float32Array.of(0.5).buffer)),
      );
      graph.message(5, (t) =>
        t
          .bytes(1, Buffer.of(2, 0x80, 0x02))
          .varint(2, 1)
          .string(8, 'w'),
      );
      graph.message(11, (value) => value.string(1, 'w')); // as before version 4 of the format
    });
    expect(readOnnxModel(bytes)).toEqual({
      opset: 17,
      inputs: [{ name: 'x', elementCode: 0, shape: undefined }],
      outputs: [{ name: 'y', elementCode: 0, shape: undefined }],
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
      scalars: new Map([['half', 0.5]]),
      tensors: 2,
      parameterCount: 1 + 2 * 256,
    });
  });

  it.each<[string, Buffer]>([
    ['a weight', model((graph) => graph.message(5, outside))],
    ['a weight that does not say so', model((graph) => graph.message(5, (t) => t.message(13, () => undefined)))],
    ['a weight that names no file', model((graph) => graph.message(5, (t) => t.varint(14, 1)))],
    ['a sparse weight', model((graph) => graph.message(15, (sparse) => sparse.message(1, outside)))],
    ['the indices of one', model((graph) => graph.message(15, (sparse) => sparse.message(2, outside)))],
    ['a constant', model((graph) => graph.message(1, constant(5, outside)))],
    ['a list of constants', model((graph) => graph.message(1, constant(10, outside)))],
    [
      'a sparse constant',
      model((graph) =>
        graph.message(
          1,
          constant(22, (sparse) => sparse.message(1, outside)),
        ),
      ),
    ],
    [
      'a branch',
      model((graph) =>
        graph.message(
          1,
          constant(6, (branch) => branch.message(5, outside)),
        ),
      ),
    ],
    [
      'a branch of a branch',
      model((graph) =>
        graph.message(
          1,
          constant(11, (branch) =>
            branch.message(
              1,
              constant(6, (inner) => inner.message(5, outside)),
            ),
          ),
        ),
      ),
    ],
    ['a function', model(undefined, (m) => m.message(25, (f) => f.message(7, constant(5, outside))))],
    [
      'what a training begins with',
      model(undefined, (m) => m.message(20, (t) => t.message(1, (g) => g.message(5, outside)))),
    ],
    ['a second graph', model(undefined, (m) => m.message(7, (graph) => graph.message(5, outside)))],
    [
      'a compiled context',
      model((graph) => graph.message(1, (node) => node.string(4, 'EPContext').string(7, 'com.microsoft'))),
    ],
  ])('refuses %s that lies in another file', (_what, bytes) => {
    const refusal = refusalOf(() => readOnnxModel(bytes));
    expect(refusal.kind).toBe('unsupported');
    expect(refusal.message).toMatch(/lies in another file .*save it again as one file$/);
  });

  it('refuses operators that are neither known nor its own', () => {
    const foreign: Write = (graph) => graph.message(1, (node) => node.string(4, 'Run').string(7, 'evil\u001b[2J'));
    expect(refusalOf(() => readOnnxModel(model(foreign))).message).toBe(
      "it needs operators of 'evil\\u001b[2J', which are not run here",
    );
    const own: Write = (m) => m.message(25, (f) => f.string(1, 'Run').string(10, 'evil\u001b[2J'));
    expect(readOnnxModel(model(foreign, own)).nodes).toHaveLength(2);
  });

  it.each([5, 99])('refuses operators of version %i', (opset) => {
    expect(refusalOf(() => readOnnxModel(model(undefined, undefined, opset))).message).toMatch(
      new RegExp(`of version ${opset} \\(opset\\); those of 7 to \\d+ are run`),
    );
  });

  it('refuses graphs in graphs without end, and more nodes than any model has', () => {
    let nested: Write = () => undefined;
    for (let depth = 0; depth < 40; depth += 1) {
      const inner = nested;
      nested = (graph) => graph.message(1, constant(6, inner));
    }
    expect(refusalOf(() => readOnnxModel(model(nested))).kind).toBe('too-deep');
    const many = Buffer.concat(Array.from({ length: 200_001 }, () => Buffer.of(0x0a, 0)));
    const bytes = message((m) => m.bytes(7, many));
    expect(refusalOf(() => readOnnxModel(bytes))).toMatchObject({
      kind: 'too-large',
      message: /more than 200000 nodes/,
    });
  });

  it('refuses what is cut off, wherever', () => {
    const bytes = model((graph) => graph.message(5, (t) => t.varint(1, 300).varint(2, 1).string(8, 'w')));
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => readOnnxModel(bytes.subarray(0, length))).toThrow(/ONNX model|opset/);
    }
    expect(refusalOf(() => readOnnxModel(Buffer.from('PK\u0003\u0004 something else'))).kind).toBe(
      'unsupported-format',
    );
  });
});
