import type { Response } from 'express';
import { errorCode } from '../../files/error-code.ts';

/**
 * Answers what is finished of a result that is being made; 204 where there is nothing to see, because no tile is finished, there is only
 * one, or the result is there.
 */
export async function sendSketch(response: Response, file: string): Promise<void> {
  const { sketchPicture } = await import('../../imaging/codec/sketch-picture.ts');
  try {
    response.type('webp').send(await sketchPicture(file));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && !(error instanceof RangeError)) throw error;
    response.status(204).end();
  }
}
