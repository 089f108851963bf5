import type { RequestHandler } from 'express';
import { MethodNotAllowedError } from './errors.ts';

/** The methods of routes by their paths, with `{name}` for a part that varies: `{'/jobs/{id}': {get: …}}`. */
export type RouteTable = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Answers for paths that are there and methods that are not theirs: OPTIONS by 204, others by 405, both with `Allow`. A path that
 * is not in the table goes on to whatever is next.
 */
export function allowedMethods(routes: RouteTable): RequestHandler {
  const table = Object.entries(routes).map(([path, methods]) => [patternOf(path), Object.keys(methods)] as const);
  const everything = allowOf(table.flatMap(([, methods]) => methods));
  return (request, response, next) => {
    const { path, method } = request;
    const own = table.flatMap(([pattern, methods]) => (pattern.test(path) ? methods : []));
    const allowed = path === '*' ? everything : allowOf(own);
    const isKnown = own.length > 0 || path === '*';
    if (!isKnown || (method !== 'OPTIONS' && allowed.includes(method))) {
      next();
      return;
    }
    response.set('Allow', allowed.join(', '));
    if (method !== 'OPTIONS') throw new MethodNotAllowedError(method, path, allowed);
    response.status(204).end();
  };
}

/** As express matches: in any case, with a slash at the end or without. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}/?$`, 'i');
}

function allowOf(methods: readonly string[]): readonly string[] {
  const named = new Set(methods.map((method) => method.toUpperCase()));
  if (named.has('GET')) named.add('HEAD');
  return [...named, 'OPTIONS'].sort();
}
