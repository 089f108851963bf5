import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import type { JobFiles } from '../../jobs/job-files.ts';
import type { JobQueue } from '../../jobs/job-queue.ts';
import type { AwaitedJobs } from '../awaited-jobs.ts';

/** What routes work with. */
export interface RouteContext {
  readonly config: Config;
  readonly queue: JobQueue;
  readonly files: JobFiles;
  readonly catalog: ModelCatalog;
  readonly awaited: AwaitedJobs;
}
