import type { Request, RequestHandler, Response } from 'express';
import { BodyTooLargeError, SlowBodyError, UnsupportedMediaTypeError } from '../errors.ts';

const GRACE_MS = 10_000;
const MIN_BYTES_PER_SECOND = 8192;
const RATE_CHECK_MS = 2000;
const DISCARD_MS = 5000;

/** Which body to read, and how large it may be. */
export interface BodyLimit {
  /** Names the body in messages: "The image". */
  readonly what: string;
  readonly maxBytes: number;
  /** What the limit stands for in messages, where `maxBytes` has room for more than that. */
  readonly statedBytes?: number;
  /** What the limit is called. */
  readonly limit?: string | undefined;
}

/**
 * The bytes of a request's body. A body that is declared or turns out too large throws `BodyTooLargeError`, one that
 * trickles `SlowBodyError`, one whose sender goes away the connection's error. Whatever ends the reading, the request is not
 * destroyed, so that an answer can still be sent. A client that waits for `100 Continue` gets it here and not earlier.
 */
export async function* bodyChunks(
  request: Request,
  response: Response,
  limit: BodyLimit,
): AsyncGenerator<Buffer, void> {
  const tooLarge = (): BodyTooLargeError =>
    new BodyTooLargeError(limit.what, limit.statedBytes ?? limit.maxBytes, limit.limit);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new UnsupportedMediaTypeError('a body without Content-Encoding', encoding);
  if (Number(request.headers['content-length'] ?? 0) > limit.maxBytes) throw tooLarge();
  if (request.headers.expect !== undefined) response.writeContinue();

  let received = 0;
  const stopWatching = watchRate(request, () => received);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit.maxBytes) throw tooLarge();
      yield chunk;
    }
  } finally {
    stopWatching();
  }
}

/**
 * An answer may be sent before the body has been read, a refusal above all. What is still to come is then read and thrown
 * away, so that the caller gets to see the answer, but not for long.
 */
export function discardRest(): RequestHandler {
  return (request, response, next) => {
    response.once('finish', () => {
      if (request.complete) return;
      request.resume();
      setTimeout(() => {
        if (!request.complete) request.socket.destroy();
      }, DISCARD_MS).unref();
    });
    next();
  };
}

/** Cuts the connection of a body that comes at under 8 KB/s once ten seconds have passed. */
function watchRate(request: Request, received: () => number): () => void {
  const start = performance.now(); // a clock that is set meanwhile does not count
  const timer = setInterval(() => {
    const overtimeMs = performance.now() - start - GRACE_MS;
    if (overtimeMs > 0 && received() < (overtimeMs / 1000) * MIN_BYTES_PER_SECOND) request.destroy(new SlowBodyError());
  }, RATE_CHECK_MS);
  return () => clearInterval(timer);
}
