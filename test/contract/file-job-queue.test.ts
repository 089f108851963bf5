import { FileJobQueue } from '../../app/jobs/local/file-job-queue.ts';
import { Journal } from '../../app/jobs/local/journal.ts';
import { StateFolder } from '../../app/jobs/local/state-folder.ts';
import type { StoredJob } from '../../app/jobs/local/stored-job.ts';
import { createLogger } from '../../app/logger.ts';
import { jobQueueContract } from './job-queue.contract.ts';

const logger = createLogger({ logLevel: 'error' });
logger.silent = true;

jobQueueContract('FileJobQueue', {
  create: (files, options) =>
    new FileJobQueue({
      ...options,
      files,
      logger,
      journal: new Journal<StoredJob>(new StateFolder(files.stateFolder)),
    }),
});
