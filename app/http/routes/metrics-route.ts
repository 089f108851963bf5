import { Router } from 'express';
import { ServiceMetrics } from '../../metrics/service-metrics.ts';
import type { RouteContext } from './route-context.ts';

/** `GET /metrics` for Prometheus. Where the service has keys it needs one: scrape with `authorization: {credentials}`. */
export function metricsRoute({ queue }: Pick<RouteContext, 'queue'>): Router {
  const metrics = new ServiceMetrics(queue);
  return Router().get('/metrics', async (_request, response) => {
    response.set('Content-Type', metrics.contentType).send(await metrics.text());
  });
}
