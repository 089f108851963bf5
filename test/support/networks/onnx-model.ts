/** A second reader of ONNX models, so that tests of the serialiser do not lean on what they test. */

export interface ReadAttribute {
  readonly type: number;
  readonly float?: number;
  readonly int?: bigint;
  readonly string?: string;
  readonly ints: readonly bigint[];
}

export interface ReadNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, ReadAttribute>>;
}

export interface ReadInitializer {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes?: Uint8Array | undefined;
  /** The key-value pairs of external data; empty where the bytes are here. */
  readonly external: Readonly<Record<string, string>>;
}

export interface ReadValue {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

export interface ReadModel {
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ReadValue[];
  readonly outputs: readonly ReadValue[];
  readonly nodes: readonly ReadNode[];
  readonly initializers: readonly ReadInitializer[];
}

/** A field of a protobuf message: a varint, or the bytes of anything else. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly varint: bigint;
  readonly bytes: Uint8Array;
}

/** The fields of a message in their order. */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('the message ends inside a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const [number, wireType] = [Math.floor(key / 8), key % 8];
    if (wireType === 0) {
      fields.push({ number, wireType, varint: varint(), bytes: new Uint8Array(0) });
      continue;
    }
    if (wireType !== 2 && wireType !== 5) throw new Error(`wire type ${wireType}`);
    const length = wireType === 5 ? 4 : Number(varint());
    if (at + length > message.length) throw new Error('the message ends inside a field');
    fields.push({ number, wireType, varint: 0n, bytes: message.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

const all = (fields: readonly Field[], number: number): Field[] => fields.filter((field) => field.number === number);
const text = (field: Field | undefined): string => new TextDecoder().decode(field?.bytes);
const integer = (field: Field | undefined): number => Number(BigInt.asIntN(64, field?.varint ?? 0n));

export function readModel(bytes: Uint8Array): ReadModel {
  const model = readFields(bytes);
  const graph = readFields(all(model, 7)[0]?.bytes ?? new Uint8Array(0));
  const opsets = all(model, 8).map(({ bytes: opset }) => {
    const fields = readFields(opset);
    return [text(all(fields, 1)[0]), integer(all(fields, 2)[0])] as const;
  });
  return {
    irVersion: integer(all(model, 1)[0]),
    opsets: Object.fromEntries(opsets),
    inputs: all(graph, 11).map(readValue),
    outputs: all(graph, 12).map(readValue),
    nodes: all(graph, 1).map(readNode),
    initializers: all(graph, 5).map(readInitializer),
  };
}

function readNode({ bytes }: Field): ReadNode {
  const fields = readFields(bytes);
  const attributes = all(fields, 5).map(({ bytes: attribute }) => {
    const parts = readFields(attribute);
    const [float, int, string] = [2, 3, 4].map((number) => all(parts, number)[0]);
    const value: ReadAttribute = {
      type: integer(all(parts, 20)[0]),
      ints: all(parts, 8).map(({ varint }) => BigInt.asIntN(64, varint)),
      ...(float && { float: new DataView(float.bytes.buffer, float.bytes.byteOffset, 4).getFloat32(0, true) }),
      ...(int && { int: BigInt.asIntN(64, int.varint) }),
      ...(string && { string: text(string) }),
    };
    return [text(all(parts, 1)[0]), value] as const;
  });
  return {
    op: text(all(fields, 4)[0]),
    domain: text(all(fields, 7)[0]),
    inputs: all(fields, 1).map(text),
    outputs: all(fields, 2).map(text),
    attributes: Object.fromEntries(attributes),
  };
}

function readInitializer({ bytes }: Field): ReadInitializer {
  const fields = readFields(bytes);
  const external = all(fields, 13).map(({ bytes: pair }) => {
    const entry = readFields(pair);
    return [text(all(entry, 1)[0]), text(all(entry, 2)[0])] as const;
  });
  return {
    name: text(all(fields, 8)[0]),
    type: integer(all(fields, 2)[0]),
    shape: all(fields, 1).map(integer),
    bytes: all(fields, 9)[0]?.bytes,
    external: Object.fromEntries(external),
  };
}

function readValue({ bytes }: Field): ReadValue {
  const fields = readFields(bytes);
  const tensor = readFields(all(readFields(all(fields, 2)[0]?.bytes ?? bytes), 1)[0]?.bytes ?? bytes);
  const dims = all(readFields(all(tensor, 2)[0]?.bytes ?? new Uint8Array(0)), 1).map((dim) => {
    const [field] = readFields(dim.bytes);
    return field?.wireType === 0 ? integer(field) : text(field);
  });
  return { name: text(all(fields, 1)[0]), type: integer(all(tensor, 1)[0]), shape: dims };
}
