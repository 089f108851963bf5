import type { Request, RequestHandler } from 'express';
import { RateLimitedError, UnauthorizedError } from '../access/errors.ts';
import type { KeyCheck } from '../access/key-check.ts';
import type { RequestLimits } from '../access/token-buckets.ts';
import type { Config } from '../config.ts';
import { isA1111Path } from './a1111/a1111-paths.ts';
import { callerOf } from './caller.ts';

/**
 * Lets in who has a key, and finds out who it is (`callerOf`); without keys everyone, as one and the same. What is mounted
 * before this is open to all.
 */
export function authentication(keys: KeyCheck): RequestHandler {
  return (request, response, next) => {
    const key = keyOf(request);
    try {
      response.locals['caller'] = keys.callerOf(key, request.socket.remoteAddress);
    } catch (error) {
      if (error instanceof UnauthorizedError) {
        response.set('WWW-Authenticate', challenge(request.path, key !== undefined));
      }
      throw error;
    }
    next();
  };
}

/** Refuses what goes beyond `RATE_LIMIT_PER_MINUTE`, by caller; every answer says what is left. */
export function rateLimit(
  { rateLimitPerMinute: limit }: Pick<Config, 'rateLimitPerMinute'>,
  limits: RequestLimits,
): RequestHandler {
  return async (_request, response, next) => {
    if (limit === 0) {
      next();
      return;
    }
    const taken = await limits.take(callerOf(response));
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
  const [, scheme = '', credentials = ''] =
    /^(Bearer|Basic) +(\S+)\s*$/i.exec(request.get('Authorization') ?? '') ?? [];
  const inAuthorization = scheme.toLowerCase() === 'basic' ? passwordOf(credentials) : credentials || undefined;
  return request.get('X-API-KEY') ?? inAuthorization;
}

/** What follows the first colon; the user before it may have any name. */
function passwordOf(credentials: string): string | undefined {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.includes(':') ? text.slice(text.indexOf(':') + 1) : undefined;
}

/** Clients of the A1111 WebUI know no keys, but a user and a password: the key is the password. */
function challenge(path: string, isKeyWrong: boolean): string {
  if (isA1111Path(path)) return 'Basic realm="hiresfix", charset="UTF-8"';
  return `Bearer realm="hiresfix"${isKeyWrong ? ', error="invalid_token"' : ''}`;
}
