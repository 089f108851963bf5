import { join } from 'node:path';
import { ProcessLock } from './files/process-lock.ts';
import type { Config } from './config.ts';
import {
  createContainer,
  JANITOR,
  JOB_FILES,
  JOB_GATEWAY,
  JOB_HANDLER,
  JOB_QUEUE,
  LOGGER,
  MODEL_CATALOG,
  SERVER,
  WEBHOOK_SENDER,
  WORKER_POOL,
} from './container.ts';
import { closeServer } from './http/connections/close-server.ts';
import { listen } from './http/connections/listening.ts';
import { OpenSockets } from './http/connections/open-sockets.ts';
import { StateInUseError } from './jobs/errors.ts';
import { defaultUpscalerProblem } from './processing/upscale/default-upscaler.ts';

/** What running jobs get to finish when the service is told to stop. */
const DRAIN_MS = 10_000;
/** What all the rest of stopping may take, once the jobs have had their time; then the process ends as it is. */
const MAX_STOP_MS = 10_000;
/** The server before this one may still be draining. */
const MAX_LOCK_WAIT_MS = 30_000;
/** Files for their owner only, 0600, and folders 0700. */
const PRIVATE = 0o077;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const LOCK_TIMINGS = { heartbeatMs: 2000, staleMs: 10_000, pollMs: 100 };

/** A service that listens. */
export interface RunningService {
  /** Where it answers, such as `http://127.0.0.1:8001`. */
  readonly url: string;
  /** Where its page is opened: at the second port, where there is one. */
  readonly dashboardUrl: string;
  /**
   * Takes no more work, gives running jobs `drainMs`, stops every process. What has not ended goes on at the next start.
   * Rejects where all of that takes ten seconds longer than the jobs were given.
   */
  close(drainMs?: number): Promise<void>;
}

/**
 * Starts the service: config in, a running service out. SIGINT and SIGTERM close it and end the process; a second one ends
 * it at once. Throws `AddressUnusableError`, `FolderUnusableError`, `StateInUseError` and `BadJournalError`.
 */
export async function startService(config: Config): Promise<RunningService> {
  process.umask(PRIVATE); // of workers too: pictures, results and the URLs of webhooks are nobody else's
  const container = await createContainer(config);
  const logger = container.resolve(LOGGER);
  const queue = container.resolve(JOB_QUEUE);
  const janitor = container.resolve(JANITOR);
  const pool = container.resolve(WORKER_POOL);
  const server = container.resolve(SERVER);
  const gateway = container.resolve(JOB_GATEWAY);
  const sockets = new OpenSockets(server);
  const webhooks = container.resolve(WEBHOOK_SENDER);

  const files = container.resolve(JOB_FILES);
  const tellOfWait = (): void => {
    const told = { folder: files.stateFolder, ms: MAX_LOCK_WAIT_MS };
    logger.warn('another server uses the folder; waiting for it to stop', told);
  };
  const start = async (): Promise<ProcessLock | undefined> => {
    // Servers that share their jobs may share the folders too.
    const held = config.redisUrl === undefined ? await lockState(files.stateFolder, tellOfWait) : undefined;
    await queue.start(container.resolve(JOB_HANDLER));
    janitor.start();
    return held;
  };
  await files.prepare();
  const listening = await listen(server, config);
  const connections = {
    server,
    sockets,
    close: async () => {
      await Promise.all([gateway.close(), listening.close()]);
    },
  };
  const lock = await start().catch(async (error: unknown) => {
    await closeServer(connections);
    throw error;
  });
  const problem = await defaultUpscalerProblem(config, container.resolve(MODEL_CATALOG));
  if (problem !== undefined) logger.warn(problem);
  if (config.workers > 0)
    pool.warm().catch((error: unknown) => logger.warn('no spare worker could be started', { error }));

  let closing: Promise<void> | undefined;
  const closeAll = async (drainMs: number): Promise<void> => {
    forgetSignals();
    await janitor.stop();
    await queue.close(drainMs);
    await closeServer(connections);
    await pool.close();
    await webhooks?.close();
    await lock?.release();
    logger.info('stopped');
  };
  const close = (drainMs = DRAIN_MS): Promise<void> => (closing ??= within(drainMs + MAX_STOP_MS, closeAll(drainMs)));
  const forgetSignals = closeAtSignals(close, logger);

  const { url, dashboardUrl } = listening;
  logger.info('listening', { url, ...(dashboardUrl !== url && { dashboard_url: dashboardUrl }) });
  return { url, dashboardUrl, close };
}

interface Log {
  info(message: string, detail: object): void;
  error(message: string, detail: object): void;
}

/** Returns what ends the listening. */
function closeAtSignals(close: () => Promise<void>, logger: Log): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info('stopping', { signal });
    process.once(signal, () => process.exit(1));
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('could not stop cleanly', { error });
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/** One server at a time works with a journal. One that was killed leaves no lock that counts. */
async function lockState(folder: string, tellOfWait: () => void): Promise<ProcessLock> {
  const signal = AbortSignal.timeout(MAX_LOCK_WAIT_MS);
  let isTold = false;
  const onWait = (): Promise<void> => {
    if (!isTold) tellOfWait();
    isTold = true;
    return Promise.resolve();
  };
  try {
    return await ProcessLock.acquire(join(folder, 'server.lock'), LOCK_TIMINGS, { signal, onWait });
  } catch (error) {
    throw signal.aborted ? new StateInUseError(folder) : error;
  }
}

/** Rejects when stopping takes longer than `ms`: whatever it still waits for, nobody waits for it. */
async function within(ms: number, stopping: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`still stopping after ${ms} ms`)), ms);
  });
  await Promise.race([stopping, deadline]).finally(() => clearTimeout(timer));
}
