import type { FileHandle } from 'node:fs/promises';
import type { Response } from 'express';
import { filePieces } from '../files/file-pieces.ts';

/**
 * Sends what an open file holds as the rest of an answer, and ends it, with one buffer for all of it. Closes the file.
 * @throws the disk's errors, or that of the connection where the caller goes away meanwhile
 */
export async function sendFile(response: Response, file: FileHandle): Promise<void> {
  for await (const piece of filePieces(file)) await written(response, piece);
  response.end();
}

/** Resolves when nobody reads the piece any more. An answer that is cut off while others go before it is told by its end alone. */
function written(response: Response, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the connection was closed before all was sent'));
    response.once('close', onClose);
    response.write(piece, (error) => {
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
