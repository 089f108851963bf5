import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RequestHandler } from 'express';

/** In bytes; what one request leaves lying is not worth the time. */
const WORTH_COLLECTING = 6 * 2 ** 20;

/** Until whoever asks again at once has been heard. */
const WHEN_OUT_MS = 30;

/**
 * Collects the buffers of uploads and results once an answer is out. Their bytes lie outside V8's heap, so that V8 itself lets tens of
 * megabytes of them gather before it looks; the young objects that hold them are looked through in a millisecond.
 */
export function collectedBuffers(): RequestHandler {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  let held = process.memoryUsage().arrayBuffers; // after the last collection
  let isPlanned = false;
  const giveBack = (): void => {
    isPlanned = false;
    const { arrayBuffers } = process.memoryUsage();
    held = Math.min(held, arrayBuffers);
    if (arrayBuffers < held + WORTH_COLLECTING) return;
    collect({ type: 'minor' });
    held = process.memoryUsage().arrayBuffers;
  };
  return (_request, response, next) => {
    response.once('close', () => {
      if (!isPlanned) setTimeout(giveBack, WHEN_OUT_MS).unref();
      isPlanned = true;
    });
    next();
  };
}
