import { Router } from 'express';
import type { RouteContext } from '../routes/route-context.ts';
import { A1111_PATHS } from './a1111-paths.ts';
import { extrasRoute } from './extras-route.ts';
import { A1111Options, optionsRoute } from './options-route.ts';
import { pngInfoRoute } from './png-info-route.ts';
import { probesRoute } from './probes-route.ts';
import { progressRoute } from './progress-route.ts';

/** What the AUTOMATIC1111 WebUI and its kin answer to, so that their clients can be pointed at this service unchanged. */
export function a1111Route(context: RouteContext): Router {
  const options = new A1111Options();
  const router = Router();
  router.use([...A1111_PATHS], (request, _response, next) => {
    // FastAPI reads a body that says nothing of its kind as JSON, and small clients say nothing.
    if (request.method !== 'GET') request.headers['content-type'] ??= 'application/json';
    next();
  });
  router.use(
    extrasRoute({ ...context, options }),
    progressRoute(context.queue),
    optionsRoute(options),
    pngInfoRoute(context),
    probesRoute(context),
  );
  return router;
}
