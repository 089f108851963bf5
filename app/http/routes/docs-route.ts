import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { Router } from 'express';
import { version } from '../../version.ts';
import { DOCS_STYLE, docsPage } from '../openapi/docs-page.ts';
import { openApiDocument } from '../openapi/openapi.ts';

/** `/openapi.json` for programs, `/docs` and `/redoc` for people: made from the schemas, loading nothing from anywhere. */
export function docsRoute(): Router {
  const current = version();
  const document = openApiDocument(current);
  const html = docsPage(current);
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
