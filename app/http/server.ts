import type { Server } from 'node:http';
import { createServer } from 'node:http';
import express from 'express';
import type { KeyCheck } from '../access/key-check.ts';
import type { RequestLimits } from '../access/token-buckets.ts';
import type { ModelCatalog } from '../catalog/model-catalog.ts';
import type { Config } from '../config.ts';
import type { JobFiles } from '../jobs/job-files.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Logger } from '../logger.ts';
import { collectedBuffers } from './collected-buffers.ts';
import { a1111Errors } from './a1111/a1111-errors.ts';
import { A1111_PATHS } from './a1111/a1111-paths.ts';
import { a1111Route } from './a1111/a1111-route.ts';
import { startProcessTime } from './a1111/process-time.ts';
import { allowedMethods } from './allowed-methods.ts';
import { ArchiveLinks } from './archive-links.ts';
import { authentication, rateLimit } from './authentication.ts';
import { conditionalRequests } from './conditional-requests.ts';
import { limitConnections } from './connections/limit-connections.ts';
import { answerUnreadableRequests } from './connections/parser-problems.ts';
import { answerUpgradesAsPlainHttp } from './connections/plain-http.ts';
import { AwaitedJobs } from './awaited-jobs.ts';
import { discardRest } from './receiving/body.ts';
import { RouteNotFoundError } from './errors.ts';
import { comfyRoute } from './gateways/comfy-route.ts';
import { fittedUpscaleRoute } from './gateways/fitted-upscale-route.ts';
import { gatewayErrors } from './gateways/gateway-errors.ts';
import { IMAGES_UPSCALE_PATH, imagesUpscaleRoute } from './gateways/images-upscale-route.ts';
import { OPERATIONS } from './openapi/openapi-paths.ts';
import { problemHandler } from './problem.ts';
import { archiveLinksRoute, archivesRoute } from './routes/archives-route.ts';
import { dashboardRoute } from './routes/dashboard-route.ts';
import { docsRoute } from './routes/docs-route.ts';
import { eventsRoute } from './routes/events-route.ts';
import { healthRoute } from './routes/health-route.ts';
import { hiresFixRoute } from './routes/hires-fix-route.ts';
import { imageRoutes } from './routes/image-routes.ts';
import { jobsRoute } from './routes/jobs-route.ts';
import { metricsRoute } from './routes/metrics-route.ts';
import { modelsRoute } from './routes/models-route.ts';
import { previewRoute } from './routes/preview-route.ts';
import { submitRoute } from './routes/submit-route.ts';
import { hostPolicy, originPolicy, requestLog, securityHeaders } from './security.ts';

/** Against clients that open connections and send little; how long an answer takes is not limited. */
const CONNECTION_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 2000,
  /** Longer than proxies keep theirs (nginx: 60 s): who closes a connection must be the one that takes it again, or requests meet its end. */
  keepAliveTimeout: 65_000,
};

export interface HttpDependencies {
  readonly config: Config;
  readonly logger: Logger;
  readonly queue: JobQueue;
  readonly files: JobFiles;
  readonly catalog: ModelCatalog;
  readonly keys: KeyCheck;
  readonly limits: RequestLimits;
}

/** The REST interface, not yet listening. */
export function createHttpServer(dependencies: HttpDependencies): Server {
  const { config, logger, queue, files, catalog, keys, limits } = dependencies;
  const context = { config, queue, files, catalog, awaited: new AwaitedJobs(queue) };
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(collectedBuffers(), conditionalRequests());
  app.use(requestLog(logger), discardRest(), securityHeaders(config), hostPolicy(config), originPolicy(config));
  app.use([...A1111_PATHS], startProcessTime());
  // The page lies at a path that a POST has too: before what refuses other methods.
  const page = { get: 'the page' };
  app.use(
    dashboardRoute(),
    allowedMethods({ ...OPERATIONS, '/': page, '/restore': { ...OPERATIONS['/restore'], ...page } }),
  );
  const links = new ArchiveLinks();
  app.use(healthRoute(context), docsRoute(), archiveLinksRoute(context, links));
  app.use(authentication(keys), rateLimit(config, limits));
  app.use(
    jobsRoute(context),
    eventsRoute(context),
    submitRoute(context),
    imageRoutes(context),
    previewRoute(context),
    hiresFixRoute(context),
    imagesUpscaleRoute(context),
    fittedUpscaleRoute(context),
    comfyRoute(context),
    archivesRoute(context, links),
    modelsRoute(context),
    metricsRoute(context),
    a1111Route(context),
  );
  app.use((request) => {
    throw new RouteNotFoundError(request.method, request.path);
  });
  app.use(IMAGES_UPSCALE_PATH, gatewayErrors(config));
  app.use([...A1111_PATHS], a1111Errors(config));
  app.use(problemHandler(config));

  const server = createServer({ ...CONNECTION_LIMITS, requireHostHeader: false }, app); // asked for by hostPolicy
  // With a listener of our own `100 Continue` is not sent at once: a body that will be refused is not asked for.
  server.on('checkContinue', app);
  server.on('checkExpectation', app); // others may be left unmet (RFC 9110, 10.1.1)
  limitConnections(server);
  answerUpgradesAsPlainHttp(server);
  answerUnreadableRequests(server);
  return server;
}
