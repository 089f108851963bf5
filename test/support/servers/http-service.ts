import { copyFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { ApiKeys } from '../../../app/access/api-keys.ts';
import { KeyCheck } from '../../../app/access/key-check.ts';
import { TokenBuckets } from '../../../app/access/token-buckets.ts';
import { createCatalog } from '../../../app/catalog/create-catalog.ts';
import type { Config } from '../../../app/config.ts';
import { loadConfig } from '../../../app/config.ts';
import { createHttpServer } from '../../../app/http/server.ts';
import type { Job, JobHandler, JobResult } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { FileJobQueue } from '../../../app/jobs/local/file-job-queue.ts';
import { Journal } from '../../../app/jobs/local/journal.ts';
import { StateFolder } from '../../../app/jobs/local/state-folder.ts';
import type { StoredJob } from '../../../app/jobs/local/stored-job.ts';
import { createLogger } from '../../../app/logger.ts';
import { attachJobGateway } from '../../../app/realtime/job-gateway.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** The real REST and socket server over a queue whose jobs do what the test says: for what happens around a job. */
export interface HttpService {
  readonly url: string;
  readonly port: number;
  readonly queue: FileJobQueue;
  readonly files: JobFiles;
  readonly folder: TemporaryFolder;
  /** Connections that are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function openHttpService(
  handle: (files: JobFiles) => JobHandler,
  changes: Partial<Config> = {},
): Promise<HttpService> {
  const folder = await temporaryFolder();
  const config = {
    ...loadConfig({}),
    uploadFolder: join(folder.path, 'in'),
    processedFolder: join(folder.path, 'out'),
    ...changes,
  };
  const files = new JobFiles(config);
  await files.prepare();
  const logger = createLogger({ logLevel: 'error' });
  logger.silent = true;
  const journal = new Journal<StoredJob>(new StateFolder(files.stateFolder));
  const queue = new FileJobQueue({ ...config, files, journal, logger });
  const limits = new TokenBuckets(config.rateLimitPerMinute);
  const keys = new KeyCheck(new ApiKeys(config.apiKeyDigests));
  const server = createHttpServer({ config, logger, queue, files, catalog: createCatalog(config), keys, limits });
  const gateway = attachJobGateway(server, { config, logger, keys, queue });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await queue.start(handle(files));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    queue,
    files,
    folder,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: async () => {
      await queue.close();
      const closed = gateway.close();
      server.closeAllConnections();
      await closed;
      await folder.remove();
    },
  };
}

/** A job that answers with the image it was given. */
export const echo =
  (files: JobFiles): JobHandler =>
  (job) =>
    echoResults(files, job);

export async function echoResults(files: JobFiles, job: Job): Promise<readonly JobResult[]> {
  await files.createResultFolder(job);
  return Promise.all(
    job.inputs.map(async (input, index): Promise<JobResult> => {
      const file = `${files.resultStem(job, index)}.png`;
      await copyFile(input.file, file);
      const size = { width: 1, height: 1 };
      return {
        index,
        file,
        bytes: (await stat(file)).size,
        sha256: createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
        info: {
          upscaler: 'NEAREST',
          asked_upscaler: job.work.kind === 'hires-fix' ? job.work.options.upscaler : 'none',
          scale: 1,
          input: size,
          output: size,
          format: 'png',
          fallbacks: [],
          warnings: [],
          seconds: { decode: 0.01, total: 0.02 },
        },
      };
    }),
  );
}
