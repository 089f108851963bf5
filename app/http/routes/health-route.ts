import { Router } from 'express';
import { NotAcceptingError } from '../../jobs/errors.ts';
import type { RouteContext } from './route-context.ts';

/** `/health/live`: the process answers. `/health/ready`: jobs are taken, whatever models are installed. */
export function healthRoute({ queue }: Pick<RouteContext, 'queue'>): Router {
  return Router()
    .get('/health/live', (_request, response) => {
      response.json({ status: 'ok' });
    })
    .get('/health/ready', (_request, response) => {
      if (!queue.isAccepting) throw new NotAcceptingError();
      response.json({ status: 'ready' });
    });
}
