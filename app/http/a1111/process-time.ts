import type { RequestHandler, Response } from 'express';

/** Remembers when the work on a request began. */
export function startProcessTime(): RequestHandler {
  return (_request, response, next) => {
    response.locals['a1111Start'] = performance.now();
    next();
  };
}

/** Sets `X-Process-Time`, which the WebUI sends with every answer: seconds so far. */
export function setProcessTime(response: Response): void {
  const start: unknown = response.locals['a1111Start'];
  const seconds = typeof start === 'number' ? (performance.now() - start) / 1000 : 0;
  response.set('X-Process-Time', seconds.toFixed(4));
}

/** Answers a probe by JSON, also where there is nothing to say: clients parse every answer. */
export function sendJson(response: Response, value: unknown): void {
  setProcessTime(response);
  response.json(value);
}
