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
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, void>;
  const watch = watchRate(() => received);
  try {
    for (;;) {
      const { done, value } = await watch.orTooSlow(chunks.next());
      if (done === true) return;
      received += value.length;
      if (received > limit.maxBytes) throw tooLarge();
      yield value;
    }
  } finally {
    watch.stop();
    void chunks.return?.().catch(() => undefined); // not awaited: it waits for a chunk that has been asked for
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

/** Watches that a body comes at 8 KB/s or more once ten seconds have passed. */
interface RateWatch {
  /** What `chunk` comes to, if that is soon enough. @throws SlowBodyError where the body turns out too slow meanwhile */
  orTooSlow<T>(chunk: Promise<T>): Promise<T>;
  stop(): void;
}

function watchRate(received: () => number): RateWatch {
  const start = performance.now(); // a clock that is set meanwhile does not count
  let giveUp: (() => void) | undefined;
  const timer = setInterval(() => {
    const overtimeMs = performance.now() - start - GRACE_MS;
    if (overtimeMs > 0 && received() < (overtimeMs / 1000) * MIN_BYTES_PER_SECOND) giveUp?.();
  }, RATE_CHECK_MS);
  return {
    orTooSlow: (chunk) =>
      new Promise((resolve, reject) => {
        giveUp = () => reject(new SlowBodyError());
        chunk.then(resolve, reject);
      }),
    stop: () => clearInterval(timer),
  };
}
