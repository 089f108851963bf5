const FIRST_CAPACITY = 128;
const TEXT = new TextEncoder();

/**
 * Just enough protobuf to write a message: varints, strings, bytes, nested messages.
 * https://protobuf.dev/programming-guides/encoding
 */
export class ProtobufWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  /** A field of type int32, int64, enum or bool; negative numbers take ten bytes, as the format wants. */
  varint(field: number, value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`expected an integer for field ${field}, got ${value}`);
    return value < 0 ? this.#key(field, 0).#negative(value) : this.#key(field, 0).#varint(value);
  }

  /** A field of type float. */
  float(field: number, value: number): this {
    this.#key(field, 5).#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, TEXT.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#key(field, 2).#varint(value.length).#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  message(field: number, write: (writer: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  /** The message; valid until more is written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #key(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType);
  }

  /** Seven bits a byte, lowest first; division, because shifts see 32 bits only. */
  #varint(value: number): this {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    return this.#byte(rest);
  }

  #negative(value: number): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    return this.#byte(Number(rest));
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.finish());
    this.#bytes = grown;
  }
}
