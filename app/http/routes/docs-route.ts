import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import express, { Router } from 'express';
import { version } from '../../version.ts';
import { DOCS_STYLE, docsPage } from '../openapi/docs-page.ts';
import { openApiDocument } from '../openapi/openapi.ts';

/** Redoc, as `npm run build` copies it, whether this runs from its sources or from `dist/`. */
const REDOC = fileURLToPath(new URL('../../../dist/redoc/', import.meta.url));
const REDOC_SCRIPT = 'redoc.standalone.js';
/** A script of our own host, which writes styles into the page and searches in a worker that it makes of its own text. */
const REDOC_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  'worker-src blob:',
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const REDOC_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hiresfix API</title></head><body>
<noscript>This page needs scripts; <a href="docs">/docs</a> does not.</noscript>
<redoc spec-url="openapi.json"></redoc><script src="redoc/${REDOC_SCRIPT}"></script>
</body></html>
`;

/**
 * `/openapi.json` for programs; `/docs`, which needs no script, and `/redoc` for people: made from the schemas, loading nothing from
 * another host. Where Redoc was not built, `/redoc` is the page of `/docs`.
 */
export function docsRoute(): Router {
  const current = version();
  const document = openApiDocument(current);
  const docs = page(docsPage(current), policyOf(DOCS_STYLE));
  const redoc = page(REDOC_PAGE, REDOC_POLICY);
  return Router()
    .get('/openapi.json', (_request, response) => {
      response.json(document);
    })
    .get('/docs', docs)
    .get('/redoc', existsSync(REDOC + REDOC_SCRIPT) ? redoc : docs)
    .use(
      '/redoc/',
      express.static(REDOC, {
        index: false,
        redirect: false,
        cacheControl: false,
        setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
      }),
    );
}

function page(html: string, policy: string): RequestHandler {
  return (_request, response) => {
    response.set('Content-Security-Policy', policy).type('html').send(html);
  };
}

function policyOf(style: string): string {
  const digest = createHash('sha256').update(style).digest('base64');
  return `default-src 'none'; style-src 'sha256-${digest}'; frame-ancestors 'none'`;
}
