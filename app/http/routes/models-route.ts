import { Router } from 'express';
import { modelView } from '../../catalog/model-view.ts';
import type { RouteContext } from './route-context.ts';

/** `GET /models`: what is known, installed and verified, and the user's own files with what network they hold. */
export function modelsRoute({ catalog }: Pick<RouteContext, 'catalog'>): Router {
  return Router().get('/models', async (_request, response) => {
    const entries = await catalog.list();
    // Where files lie on the server is nobody's business; under which name they are asked for is.
    response.json({ models: entries.map((entry) => ({ ...modelView(entry), file: undefined })) });
  });
}
