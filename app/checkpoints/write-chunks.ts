import { closeSync, openSync, writeSync } from 'node:fs';

/** Writes `file` anew out of pieces, so that a file of hundreds of megabytes need not be put together in memory. */
export function writeChunks(file: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.byteLength;) done += writeSync(descriptor, chunk, done);
    }
  } finally {
    closeSync(descriptor);
  }
}
