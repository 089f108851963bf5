import type { RequestHandler } from 'express';

/**
 * Lets an `If-None-Match` count whoever sends it. The `fetch` of Node and of browsers sends `Cache-Control: no-cache` along with it, by
 * which express would answer with all of it again; but that is a word to caches on the way (RFC 9111, 5.2.1.4).
 */
export function conditionalRequests(): RequestHandler {
  return ({ headers }, _response, next) => {
    if (headers['if-none-match'] !== undefined) delete headers['cache-control'];
    next();
  };
}
