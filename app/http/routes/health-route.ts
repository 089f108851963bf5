import { Router } from 'express';
import { NotAcceptingError, StoreUnavailableError } from '../../jobs/errors.ts';
import type { RouteContext } from './route-context.ts';

/** `/health/live`: the process answers. `/health/ready`: jobs are taken, whatever models are installed, and there is room for them. */
export function healthRoute({ queue, files }: Pick<RouteContext, 'queue' | 'files'>): Router {
  return Router()
    .get('/health/live', (_request, response) => {
      response.json({ status: 'ok' });
    })
    .get('/health/ready', async (_request, response) => {
      if (!queue.isAccepting) throw new NotAcceptingError();
      if (!(await files.room.isThere())) throw new StoreUnavailableError(undefined, { reason: 'the disk is full' });
      response.json({ status: 'ready' });
    });
}
