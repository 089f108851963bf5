/** A chunk of a WebP; its bytes are views of the file. */
export interface RiffChunk {
  readonly type: string;
  readonly data: Buffer;
  /** With its head, and the byte that makes it even. */
  readonly whole: Buffer;
}

const HEADER_BYTES = 12;
const HEAD_BYTES = 8;

/**
 * The chunks of a WebP file, as far as they are whole (https://developers.google.com/speed/webp/docs/riff_container).
 * @param from where the first begins, of chunks within a chunk
 */
export function* riffChunks(file: Buffer, from = HEADER_BYTES): Generator<RiffChunk> {
  for (let at = from; at + HEAD_BYTES <= file.length;) {
    const length = file.readUInt32LE(at + 4);
    const end = at + HEAD_BYTES + length;
    if (end > file.length) return;
    const next = end + (length % 2);
    yield {
      type: file.toString('latin1', at, at + 4),
      data: file.subarray(at + HEAD_BYTES, end),
      whole: file.subarray(at, next),
    };
    at = next;
  }
}

/** A whole chunk, even in length. */
export function makeRiffChunk(type: string, ...data: readonly Uint8Array[]): Buffer {
  const length = data.reduce((sum, bytes) => sum + bytes.length, 0);
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(type, 'latin1');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...data, Buffer.alloc(length % 2)]);
}
