import { ProtobufWriter } from './protobuf.ts';

/** Element types of ONNX tensors that graphs here use, with their codes (onnx.proto, TensorProto.DataType). */
export const ELEMENT_CODES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

export type ElementType = keyof typeof ELEMENT_CODES;

/** A dimension: a size, or the name of one that is known only when the graph runs. */
export type ProtoDim = number | string;

export interface ProtoValue {
  readonly name: string;
  readonly type: ElementType;
  /** Missing where it is left to the runtime to find out: in the body of a loop. */
  readonly shape?: readonly ProtoDim[];
}

export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly body: ProtoBody };

export interface ProtoNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant: its bytes here, or a byte range of a file that lies in the folder the session is given. */
export interface ProtoInitializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly length: number };
}

/** What is calculated: all of a model, or what a loop does each time. A loop's body sees the values around it. */
export interface ProtoBody {
  readonly inputs: readonly ProtoValue[];
  readonly outputs: readonly ProtoValue[];
  readonly nodes: readonly ProtoNode[];
  readonly initializers: readonly ProtoInitializer[];
}

export interface ProtoGraph extends ProtoBody {
  readonly opset: number;
  /** Opset versions of further operator domains, e.g. `com.microsoft`. */
  readonly domains: ReadonlyMap<string, number>;
}

/** The bytes of an ONNX `ModelProto`. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export function serializeModel(graph: ProtoGraph): Uint8Array {
  const model = new ProtobufWriter();
  model.varint(1, 9); // ir_version 9 goes with opset 20
  model.string(2, 'hiresfix');
  model.message(7, (g) => writeBody(g, graph, 'network'));
  model.message(8, (o) => o.string(1, '').varint(2, graph.opset));
  for (const [domain, version] of graph.domains) model.message(8, (o) => o.string(1, domain).varint(2, version));
  return model.finish();
}

function writeBody(writer: ProtobufWriter, body: ProtoBody, name: string): void {
  for (const node of body.nodes) writer.message(1, (n) => writeNode(n, node));
  writer.string(2, name);
  for (const initializer of body.initializers) writer.message(5, (t) => writeInitializer(t, initializer));
  for (const input of body.inputs) writer.message(11, (v) => writeValue(v, input));
  for (const output of body.outputs) writer.message(12, (v) => writeValue(v, output));
}

function writeNode(writer: ProtobufWriter, node: ProtoNode): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.outputs[0] ?? '');
  writer.string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) writer.message(5, (a) => writeAttribute(a, name, value));
  if (node.domain !== '') writer.string(7, node.domain);
}

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_GRAPH = 5;
const ATTRIBUTE_INTS = 7;

function writeAttribute(writer: ProtobufWriter, name: string, value: Attribute): void {
  writer.string(1, name);
  if (typeof value === 'number') writer.varint(3, value).varint(20, ATTRIBUTE_INT);
  else if (typeof value === 'string') writer.string(4, value).varint(20, ATTRIBUTE_STRING);
  else if ('float' in value) writer.float(2, value.float).varint(20, ATTRIBUTE_FLOAT);
  else if ('body' in value) writer.message(6, (g) => writeBody(g, value.body, name)).varint(20, ATTRIBUTE_GRAPH);
  else {
    for (const item of value) writer.varint(8, item);
    writer.varint(20, ATTRIBUTE_INTS);
  }
}

const DATA_LOCATION_EXTERNAL = 1;

function writeInitializer(writer: ProtobufWriter, initializer: ProtoInitializer): void {
  for (const size of initializer.shape) writer.varint(1, size);
  writer.varint(2, ELEMENT_CODES[initializer.type]);
  writer.string(8, initializer.name);
  const { data } = initializer;
  if (data instanceof Uint8Array) {
    writer.bytes(9, data);
    return;
  }
  for (const [key, value] of Object.entries({ location: data.location, offset: data.offset, length: data.length })) {
    writer.message(13, (entry) => entry.string(1, key).string(2, String(value)));
  }
  writer.varint(14, DATA_LOCATION_EXTERNAL);
}

function writeValue(writer: ProtobufWriter, value: ProtoValue): void {
  writer.string(1, value.name);
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.varint(1, ELEMENT_CODES[value.type]);
      const dims = value.shape;
      if (!dims) return;
      tensor.message(2, (shape) => {
        for (const dim of dims) {
          shape.message(1, (d) => (typeof dim === 'number' ? d.varint(1, dim) : d.string(2, dim)));
        }
      });
    }),
  );
}
