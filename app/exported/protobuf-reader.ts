import { CheckpointError } from '../checkpoints/errors.ts';

/** More than any model has, and few enough to be walked in a second or two. */
const MAX_FIELDS = 4_000_000;
/** Seven bits a byte: what 64 take. */
const MAX_VARINT_BYTES = 10;

/** A field of a protobuf message: a whole number, or the bytes of anything longer. */
export interface ProtobufField {
  readonly number: number;
  /** Of a field that is no number: 0. */
  readonly value: number;
  /** Of a field that is a number: none. */
  readonly bytes: Buffer;
  /** Where all of it lies in its message, its key included. */
  readonly start: number;
  readonly end: number;
}

const NOTHING = Buffer.alloc(0);

/** Counts the fields of all messages of a file: what is nested without end is refused. */
export class FieldBudget {
  #left: number;

  constructor(fields = MAX_FIELDS) {
    this.#left = fields;
  }

  /** @throws CheckpointError */
  spend(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new CheckpointError('too-large', 'it has more parts than any model');
  }
}

/**
 * The fields of a message in their order; bytes are views of `message`.
 * https://protobuf.dev/programming-guides/encoding
 * @throws CheckpointError where it is no message
 */
export function* protobufFields(message: Buffer, budget: FieldBudget): Generator<ProtobufField> {
  const cursor = new MessageCursor(message);
  while (!cursor.isAtEnd) {
    budget.spend();
    const start = cursor.at;
    const key = cursor.varint();
    const wireType = key % 8;
    const value = wireType === 0 ? cursor.varint() : 0;
    const bytes = wireType === 0 ? NOTHING : cursor.bytes(lengthOf(wireType, cursor));
    yield { number: Math.floor(key / 8), value, bytes, start, end: cursor.at };
  }
}

/** Of what follows the key of a field that is no number. */
function lengthOf(wireType: number, cursor: MessageCursor): number {
  if (wireType === 1) return 8;
  if (wireType === 2) return cursor.varint();
  if (wireType === 5) return 4;
  throw broken(`a field of kind ${wireType}`);
}

/** The whole numbers of a packed list. @throws CheckpointError where it is none */
export function packedNumbers(list: Buffer, budget: FieldBudget): number[] {
  const cursor = new MessageCursor(list);
  const numbers: number[] = [];
  while (!cursor.isAtEnd) {
    budget.spend();
    numbers.push(cursor.varint());
  }
  return numbers;
}

class MessageCursor {
  readonly #message: Buffer;
  #at = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#message.length;
  }

  /** A number of up to 64 bits, negative where the highest is set; beyond 2^53 the nearest. */
  varint(): number {
    let value = 0n;
    for (let count = 0; count < MAX_VARINT_BYTES; count += 1) {
      const byte = this.#message[this.#at++];
      if (byte === undefined) throw broken('a number does not end');
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw broken('a number of more than 64 bits');
  }

  bytes(length: number): Buffer {
    if (length < 0 || length > this.#message.length - this.#at) throw broken('a part is longer than what it lies in');
    this.#at += length;
    return this.#message.subarray(this.#at - length, this.#at);
  }
}

function broken(detail: string): CheckpointError {
  return new CheckpointError(
    'unsupported-format',
    `expected an ONNX model; this is none, or was cut off (${detail}): download it again`,
  );
}
