import type { FileHandle } from 'node:fs/promises';

/** Small enough to leave the event loop to others between two pieces, in bytes. */
const PIECE = 256 * 1024;

/**
 * What an open file holds, in pieces that lie in one and the same buffer: a piece is good until the next one is asked for. Streams
 * take new memory for each 64 KiB, which is collected late, as it lies outside V8's heap. Closes the file in the end.
 * @throws the disk's errors
 */
export async function* filePieces(file: FileHandle): AsyncGenerator<Buffer, void> {
  const buffer = Buffer.allocUnsafe(PIECE);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
