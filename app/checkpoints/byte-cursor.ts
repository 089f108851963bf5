import { CheckpointError } from './errors.ts';

/** Gives `length` bytes from `offset`; the buffer is never written to again. */
type ReadBytes = (offset: number, length: number) => Buffer;

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads forward through the bytes `start .. end - 1` of a source, a chunk at a time, so that a stream of unknown length at
 * the head of a large file does not pull the file into memory. Reading past `end` is a `truncated` error.
 */
export class ByteCursor {
  readonly #read: ReadBytes;
  readonly #end: number;
  #chunk: Buffer = Buffer.alloc(0);
  /** Source offset of the chunk's first byte. */
  #chunkStart: number;
  #at = 0;

  constructor(read: ReadBytes, start: number, end: number) {
    this.#read = read;
    this.#chunkStart = start;
    this.#end = end;
  }

  /** Offset in the source of the next byte. */
  get position(): number {
    return this.#chunkStart + this.#at;
  }

  get remaining(): number {
    return this.#end - this.position;
  }

  uint8(): number {
    this.#ensure(1);
    return this.#chunk.readUInt8(this.#at++);
  }

  uint16(): number {
    return this.#take(2).readUInt16LE();
  }

  uint32(): number {
    return this.#take(4).readUInt32LE();
  }

  int32(): number {
    return this.#take(4).readInt32LE();
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64LE();
  }

  float64BigEndian(): number {
    return this.#take(8).readDoubleBE();
  }

  /** A view of the next `length` bytes; the length is checked before anything is allocated. */
  bytes(length: number): Buffer {
    return this.#take(length);
  }

  /** The bytes up to the next line feed, without it, as Latin-1; `undefined` where there is none in `limit` bytes. */
  line(limit: number): string | undefined {
    const window = Math.min(limit, this.remaining);
    this.#ensure(window);
    const length = this.#chunk.subarray(this.#at, this.#at + window).indexOf(0x0a);
    return length < 0 ? undefined : this.bytes(length + 1).toString('latin1', 0, length);
  }

  #take(length: number): Buffer {
    this.#ensure(length);
    this.#at += length;
    return this.#chunk.subarray(this.#at - length, this.#at);
  }

  #ensure(length: number): void {
    if (this.#at + length <= this.#chunk.length) return;
    if (length > this.remaining) {
      throw new CheckpointError(
        'truncated',
        `${length} bytes were announced at offset ${this.position}, but only ${this.remaining} are left: download the file again`,
      );
    }
    const start = this.position;
    this.#chunk = this.#read(start, Math.min(Math.max(length, CHUNK_BYTES), this.remaining));
    this.#chunkStart = start;
    this.#at = 0;
  }
}
