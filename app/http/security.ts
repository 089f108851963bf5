import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { isAllowedHost } from '../access/allowed-host.ts';
import { isAllowedOrigin } from '../access/allowed-origin.ts';
import { HostNotAllowedError, NoHostError, OriginNotAllowedError } from './errors.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const EXPOSED_HEADERS = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Idempotent-Replayed',
  'Location',
  'Preference-Applied',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'Server-Timing',
  'X-Device',
  'X-Job-Id',
  'X-Model',
  'X-Process-Time',
  'X-Request-Id',
  'X-Scale',
  'X-Upscale-Applied',
  'X-Upscale-Method',
  'X-Warnings',
].join(', ');

/** What every answer carries, so that a browser takes it for nothing but what it is. */
export function securityHeaders(config: Pick<Config, 'allowedOrigins'>): RequestHandler {
  const resourcePolicy = config.allowedOrigins.length > 0 ? 'cross-origin' : 'same-origin';
  return (_request, response, next) => {
    response.set({
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Cross-Origin-Resource-Policy': resourcePolicy,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    next();
  };
}

/** Refuses requests by a name that is not the service's, before anything else of them is looked at. */
export function hostPolicy(config: Pick<Config, 'host' | 'allowedHosts'>): RequestHandler {
  return (request, _response, next) => {
    if (request.headers.host === undefined && request.httpVersion === '1.1') throw new NoHostError();
    if (!isAllowedHost(request.headers.host, config)) throw new HostNotAllowedError(request.headers.host ?? '');
    next();
  };
}

/**
 * Answers pages of allowed origins with what CORS asks for, and refuses those of others whatever could change something:
 * a form post needs no permission from CORS.
 */
export function originPolicy({ allowedOrigins }: Pick<Config, 'allowedOrigins'>): RequestHandler {
  return (request, response, next) => {
    const { origin, host } = request.headers;
    const isAllowed = isAllowedOrigin(origin, host, allowedOrigins);
    if (!isAllowed && !SAFE_METHODS.has(request.method)) throw new OriginNotAllowedError(origin ?? '');
    if (allowedOrigins.length > 0) response.vary('Origin');
    if (origin === undefined || !isAllowed) {
      next();
      return;
    }
    response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
    if (request.method !== 'OPTIONS') {
      next();
      return;
    }
    response.set({
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, DELETE',
      'Access-Control-Allow-Headers': request.get('Access-Control-Request-Headers') ?? '',
      'Access-Control-Max-Age': '600',
    });
    response.status(204).end();
  };
}

/** Gives each request an id and a logger that carries it, and writes one line when it has been answered; of probes, which come all the time, only at `debug`. */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const requestId = randomUUID();
    const log = logger.child({ request_id: requestId });
    const { method, path } = request;
    const isProbe = path === '/metrics' || path.startsWith('/health/');
    response.locals['logger'] = log;
    response.locals['isProbe'] = isProbe;
    response.set('X-Request-Id', requestId);
    response.on('close', () => {
      log[isProbe ? 'debug' : 'info']('request', {
        method,
        path,
        status: response.statusCode,
        ms: Math.round(performance.now() - start),
        job_id: response.get('X-Job-Id'),
        is_cut: response.writableFinished ? undefined : true,
      });
    });
    next();
  };
}
