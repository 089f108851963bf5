import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestHandler } from 'express';
import { Router } from 'express';
import { DOCS_STYLE, docsPage } from '../openapi/docs-page.ts';
import { openApiDocument } from '../openapi/openapi.ts';

/** `/openapi.json` for programs, `/docs` and `/redoc` for people: made from the schemas, loading nothing from anywhere. */
export function docsRoute(): Router {
  const version = packageVersion();
  const document = openApiDocument(version);
  const html = docsPage(version);
  const style = createHash('sha256').update(DOCS_STYLE).digest('base64');
  const page: RequestHandler = (_request, response) => {
    response.set('Content-Security-Policy', `default-src 'none'; style-src 'sha256-${style}'; frame-ancestors 'none'`);
    response.type('html').send(html);
  };
  return Router()
    .get('/openapi.json', (_request, response) => {
      response.json(document);
    })
    .get('/docs', page)
    .get('/redoc', page);
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
