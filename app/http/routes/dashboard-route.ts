import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Of a file of the page: its worker obeys what comes with its script, and enlarges pictures by WebAssembly. */
const FILE_POLICY = "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'";

/** What a person who opens the service is told where the dashboard was not built. */
const PLAIN_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>hiresfix</title></head><body>
<h1>hiresfix runs here</h1>
<p>It enlarges and restores pictures for programs: <a href="/docs">what can be asked, and how</a>,
<a href="/openapi.json">the same as OpenAPI</a>.</p>
<pre>curl -F file=@photo.jpg -o larger.jpg "&lt;this address&gt;/upscale?scale=2"</pre>
<p>The page for people is not part of this installation: <code>npm run build:web</code> makes it.</p>
</body></html>
`;

/**
 * `/` and `/restore`, the dashboard's page, and its files. The page is asked for again each time, its files never: their names change
 * with what is in them. Open to all: what it shows it asks for with a key. Where it was not built, a page says what there is instead.
 * @param built where it was built
 */
export function dashboardRoute(built = BUILT): RequestHandler {
  const page = readPage(built) ?? pageOf(Buffer.from(PLAIN_PAGE));
  const files = express.static(built, { index: false, redirect: false, immutable: true, maxAge: '365d' });
  return (request, response, next) => {
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!isReading) {
      next();
    } else if (PAGES.has(request.path)) {
      response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache', ETag: page.tag });
      response.type('html').send(page.html); // or by 304 to who has it
    } else if (request.path.startsWith(ASSETS)) {
      response.removeHeader('Cache-Control');
      response.set('Content-Security-Policy', FILE_POLICY);
      files(request, response, next);
    } else {
      next();
    }
  };
}

interface Page {
  readonly html: Buffer;
  readonly tag: string;
}

function readPage(built: string): Page | undefined {
  try {
    return pageOf(readFileSync(join(built, 'index.html')));
  } catch {
    return undefined;
  }
}

function pageOf(html: Buffer): Page {
  return { html, tag: `"${createHash('sha256').update(html).digest('hex').slice(0, 32)}"` };
}
