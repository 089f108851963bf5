import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import express from 'express';

/** What `npm run build` has made of `app/web/`, whether this runs from its sources or from `dist/`. */
const BUILT = fileURLToPath(new URL('../../../dist/web/', import.meta.url));
const PAGES = new Set(['/', '/restore']);
const ASSETS = '/assets/';
/** Its own scripts and styles alone; pictures also out of the page's memory. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * `/` and `/restore`, the dashboard's page, and its files. The page is asked for again each time, its files never: their names change
 * with what is in them. Open to all: what it shows it asks for with a key. Where it was not built, nothing is served.
 */
export function dashboardRoute(): RequestHandler {
  const page = readPage();
  const files = express.static(BUILT, { index: false, redirect: false, immutable: true, maxAge: '365d' });
  return (request, response, next) => {
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!page || !isReading) {
      next();
    } else if (PAGES.has(request.path)) {
      const isKnown = request.get('If-None-Match') === page.tag;
      response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache', ETag: page.tag });
      if (isKnown) response.status(304).end();
      else response.type('html').send(page.html);
    } else if (request.path.startsWith(ASSETS)) {
      response.removeHeader('Cache-Control');
      files(request, response, next);
    } else {
      next();
    }
  };
}

function readPage(): { readonly html: Buffer; readonly tag: string } | undefined {
  try {
    const html = readFileSync(`${BUILT}index.html`);
    return { html, tag: `"${createHash('sha256').update(html).digest('hex').slice(0, 32)}"` };
  } catch {
    return undefined;
  }
}
