import 'reflect-metadata'; // tsyringe throws on load without it, so it stays the first import
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Server as SocketServer } from 'socket.io';
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import { instancePerContainerCachingFactory as once, container as root } from 'tsyringe';
import { ApiKeys } from './access/api-keys.ts';
import { KeyCheck } from './access/key-check.ts';
import type { RequestLimits } from './access/token-buckets.ts';
import { TokenBuckets } from './access/token-buckets.ts';
import { createCatalog } from './catalog/create-catalog.ts';
import type { ModelCatalog } from './catalog/model-catalog.ts';
import type { Config } from './config.ts';
import { BadConfigError } from './config.ts';
import { createHttpServer } from './http/server.ts';
import { FileJobQueue } from './jobs/local/file-job-queue.ts';
import { Janitor } from './jobs/janitor.ts';
import { createJobHandler } from './jobs/job-handler.ts';
import { JobFiles } from './jobs/job-files.ts';
import type { JobHandler } from './jobs/job.ts';
import type { JobQueue } from './jobs/job-queue.ts';
import { Journal } from './jobs/local/journal.ts';
import { ResultCache } from './jobs/result-cache.ts';
import { StateFolder } from './jobs/local/state-folder.ts';
import type { StoredJob } from './jobs/local/stored-job.ts';
import type { Logger } from './logger.ts';
import { createLogger } from './logger.ts';
import { attachJobGateway } from './realtime/job-gateway.ts';
import { WebhookSender } from './webhooks/webhook-sender.ts';
import { cardsForWorkers } from './worker/card-rota.ts';
import { WorkerPool } from './worker/worker-pool.ts';

const token = <T>(name: string): InjectionToken<T> => Symbol(name);
export const CONFIG = token<Config>('Config');
export const LOGGER = token<Logger>('Logger');
export const MODEL_CATALOG = token<ModelCatalog>('ModelCatalog');
export const WORKER_POOL = token<WorkerPool>('WorkerPool');
export const JOB_FILES = token<JobFiles>('JobFiles');
export const JOB_QUEUE = token<JobQueue>('JobQueue');
export const JANITOR = token<Janitor>('Janitor');
export const JOB_HANDLER = token<JobHandler>('JobHandler');
export const WEBHOOK_SENDER = token<WebhookSender | undefined>('WebhookSender');
export const SERVER = token<Server>('Server');
export const JOB_GATEWAY = token<SocketServer>('JobGateway');

/** The composition root of the server process: the only place that sees every class of it. That of a worker is worker-container.ts. */
export async function createContainer(config: Config): Promise<DependencyContainer> {
  const container = root.createChildContainer(); // never the global one: tests run side by side
  container.register(CONFIG, { useValue: config });
  container.register(LOGGER, { useFactory: once((c) => createLogger(c.resolve(CONFIG))) });
  container.register(MODEL_CATALOG, { useFactory: once((c) => createCatalog(c.resolve(CONFIG))) });
  const cards = await cardsForWorkers(config);
  const pool = cards.length > 0 ? { isBackground: true, cards } : { isBackground: true };
  container.register(WORKER_POOL, { useFactory: once((c) => new WorkerPool(c.resolve(CONFIG), pool)) });
  container.register(JOB_FILES, { useFactory: once(await filesFactory(config)) });
  container.register(JOB_QUEUE, { useFactory: once(await queueFactory(config)) });
  container.register(JOB_HANDLER, {
    useFactory: once((c) => createJobHandler(c.resolve(WORKER_POOL), c.resolve(JOB_FILES), createCache(c))),
  });
  container.register(WEBHOOK_SENDER, { useFactory: once(createWebhookSender) });
  container.register(JANITOR, {
    useFactory: once((c) => {
      const [queue, files, logger] = [c.resolve(JOB_QUEUE), c.resolve(JOB_FILES), c.resolve(LOGGER)];
      return new Janitor({ ...c.resolve(CONFIG), queue, files, logger });
    }),
  });
  const limits = await requestLimits(config);
  const keys = new KeyCheck(new ApiKeys(config.apiKeyDigests));
  container.register(SERVER, {
    useFactory: once((c) =>
      createHttpServer({
        config: c.resolve(CONFIG),
        logger: c.resolve(LOGGER),
        queue: c.resolve(JOB_QUEUE),
        files: c.resolve(JOB_FILES),
        catalog: c.resolve(MODEL_CATALOG),
        keys,
        limits,
      }),
    ),
  });
  container.register(JOB_GATEWAY, {
    useFactory: once((c) =>
      attachJobGateway(c.resolve(SERVER), {
        config: c.resolve(CONFIG),
        logger: c.resolve(LOGGER),
        keys,
        queue: c.resolve(JOB_QUEUE),
      }),
    ),
  });
  return container;
}

function createWebhookSender(c: DependencyContainer): WebhookSender | undefined {
  const { webhooksEnabled, webhookSecret: secret } = c.resolve(CONFIG);
  if (!webhooksEnabled || secret === undefined) return undefined;
  return new WebhookSender({ queue: c.resolve(JOB_QUEUE), logger: c.resolve(LOGGER), secret });
}

function createCache(c: DependencyContainer): ResultCache {
  const folder = join(c.resolve(JOB_FILES).stateFolder, 'cache');
  const logger = c.resolve(LOGGER);
  const cache = new ResultCache({ folder, config: c.resolve(CONFIG), logger });
  c.resolve(JOB_QUEUE).events.on('removed', (job) => {
    cache.dropResults(job).catch((error: unknown) => {
      logger.warn('results of a removed job could not be dropped from the cache', { job_id: job.id, error });
    });
  });
  return cache;
}

/** The client of an object store is loaded only where there is one; an installation need not have it. */
async function filesFactory({ storage }: Config): Promise<(c: DependencyContainer) => JobFiles> {
  if (storage === undefined) return (c) => new JobFiles(c.resolve(CONFIG));
  const { ObjectStore } = await import('./jobs/storage/object-store.ts').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new BadConfigError([
      'STORAGE_URL: the client of object stores is not installed; run `npm install @aws-sdk/client-s3` beside hiresfix (with `-g` where it is)',
    ]);
  });
  const { StoredJobFiles } = await import('./jobs/storage/stored-job-files.ts');
  return (c) => new StoredJobFiles(c.resolve(CONFIG), new ObjectStore(storage));
}

/** What shares jobs by Redis is loaded only where that is asked for. */
async function queueFactory({ redisUrl }: Config): Promise<(c: DependencyContainer) => JobQueue> {
  if (redisUrl === undefined) return createFileQueue;
  const { BullJobQueue } = await import('./jobs/redis/bull-job-queue.ts');
  return (c) => {
    const [files, logger] = [c.resolve(JOB_FILES), c.resolve(LOGGER)];
    return new BullJobQueue({ ...c.resolve(CONFIG), redisUrl, files, logger });
  };
}

/** Limits hold across the servers that share their jobs. */
async function requestLimits({ redisUrl, rateLimitPerMinute }: Config): Promise<RequestLimits> {
  if (redisUrl === undefined || rateLimitPerMinute === 0) return new TokenBuckets(rateLimitPerMinute);
  const { SharedLimits } = await import('./access/shared-limits.ts');
  const { PREFIX } = await import('./jobs/redis/bull-job-queue.ts');
  const { sideConnection } = await import('./jobs/redis/redis-link.ts');
  return new SharedLimits(rateLimitPerMinute, { redis: sideConnection(redisUrl), prefix: PREFIX });
}

function createFileQueue(c: DependencyContainer): JobQueue {
  const files = c.resolve(JOB_FILES);
  const journal = new Journal<StoredJob>(new StateFolder(files.stateFolder));
  return new FileJobQueue({ ...c.resolve(CONFIG), files, journal, logger: c.resolve(LOGGER) });
}
