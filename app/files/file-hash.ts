import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Small enough to leave the event loop to others between two pieces. */
const PIECE = 256 * 1024;

/** The sha256 of a file, in hex. @throws the disk's errors, the signal's reason */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(PIECE);
  const file = await open(path, 'r');
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, PIECE);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
