import { ProtobufWriter } from '../../../app/onnx/protobuf.ts';

/** Fields of ONNX's messages (onnx.proto). */
const [FLOAT, INT64, BOOL] = [1, 7, 9];
const [NODE, INITIALIZER, INPUT, OUTPUT] = [1, 5, 11, 12];
const GRAPH_ATTRIBUTE = 5;
const PICTURE = [1, 3, 'h', 'w'];

/** The bytes of an ONNX model that takes a picture, gives one, and is not done with it in a million years. */
export function endlessOnnx(): Uint8Array {
  const model = new ProtobufWriter();
  model.varint(1, 9);
  model.message(7, (graph) => {
    scalar(graph, 'turns', { type: INT64, bytes: Buffer.from(BigInt64Array.of(2n ** 60n).buffer) });
    scalar(graph, 'yes', { type: BOOL, bytes: Buffer.of(1) });
    graph.message(NODE, (loop) => {
      for (const input of ['turns', 'yes', 'x']) loop.string(1, input);
      loop.string(2, 'y').string(4, 'Loop');
      loop.message(5, (body) => body.string(1, 'body').varint(20, GRAPH_ATTRIBUTE).message(6, writeBody));
    });
    graph.string(2, 'endless');
    value(graph, INPUT, 'x', PICTURE);
    value(graph, OUTPUT, 'y', PICTURE);
  });
  model.message(8, (opset) => opset.string(1, '').varint(2, 17));
  return model.finish();
}

function writeBody(graph: ProtobufWriter): void {
  graph.message(NODE, (node) => node.string(1, 'go').string(2, 'on').string(4, 'Identity'));
  graph.message(NODE, (node) => node.string(1, 'from').string(2, 'to').string(4, 'Relu'));
  graph.string(2, 'turn');
  value(graph, INPUT, 'turn', INT64);
  value(graph, INPUT, 'go', BOOL);
  value(graph, INPUT, 'from', PICTURE);
  value(graph, OUTPUT, 'on', BOOL);
  value(graph, OUTPUT, 'to', PICTURE);
}

function scalar(
  graph: ProtobufWriter,
  name: string,
  { type, bytes }: { readonly type: number; readonly bytes: Uint8Array },
): void {
  graph.message(INITIALIZER, (tensor) => tensor.varint(2, type).string(8, name).bytes(9, bytes));
}

/** A picture where it has sizes; else a number of that type. */
function value(graph: ProtobufWriter, field: number, name: string, kind: readonly (number | string)[] | number): void {
  const [type, dims] = typeof kind === 'number' ? [kind, []] : [FLOAT, kind];
  graph.message(field, (info) => {
    info.string(1, name).message(2, (what) => what.message(1, (tensor) => writeType(tensor, type, dims)));
  });
}

function writeType(tensor: ProtobufWriter, type: number, dims: readonly (number | string)[]): void {
  tensor.varint(1, type).message(2, (shape) => {
    for (const dim of dims)
      shape.message(1, (size) => (typeof dim === 'number' ? size.varint(1, dim) : size.string(2, dim)));
  });
}
