import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { filePieces } from './file-pieces.ts';

/** The sha256 of a file, in hex. @throws the disk's errors, the signal's reason */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of filePieces(await open(path, 'r'))) {
    signal?.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}
