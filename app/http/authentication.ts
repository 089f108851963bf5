import type { Request, RequestHandler } from 'express';
import { ApiKeys } from '../access/api-keys.ts';
import { RateLimitedError, UnauthorizedError } from '../access/errors.ts';
import { TokenBuckets } from '../access/token-buckets.ts';
import type { Config } from '../config.ts';
import { callerOf } from './caller.ts';

/**
 * Lets in who has a key, and finds out who it is (`callerOf`); without keys everyone, as one and the same. What is mounted
 * before this is open to all.
 */
export function authentication({ apiKeyDigests }: Pick<Config, 'apiKeyDigests'>): RequestHandler {
  const keys = new ApiKeys(apiKeyDigests);
  return (request, response, next) => {
    const key = keyOf(request);
    const caller = keys.callerOf(key);
    if (caller === undefined) {
      response.set('WWW-Authenticate', `Bearer realm="hiresfix"${key === undefined ? '' : ', error="invalid_token"'}`);
      throw new UnauthorizedError(key !== undefined);
    }
    response.locals['caller'] = caller;
    next();
  };
}

/** Refuses what goes beyond `RATE_LIMIT_PER_MINUTE`, by caller; every answer says what is left. */
export function rateLimit({ rateLimitPerMinute: limit }: Pick<Config, 'rateLimitPerMinute'>): RequestHandler {
  const buckets = new TokenBuckets(limit);
  return (_request, response, next) => {
    if (limit === 0) {
      next();
      return;
    }
    const taken = buckets.take(callerOf(response));
    response.set({
      'RateLimit-Policy': `${limit};w=60`,
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(taken.remaining),
      'RateLimit-Reset': String(taken.resetSeconds),
    });
    if (!taken.isAllowed) {
      response.set('Retry-After', String(taken.retryAfterSeconds));
      throw new RateLimitedError(limit, taken.retryAfterSeconds);
    }
    next();
  };
}

function keyOf(request: Request): string | undefined {
  return request.get('X-API-KEY') ?? /^Bearer +(\S+)\s*$/i.exec(request.get('Authorization') ?? '')?.[1];
}
