import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileJobQueue } from '../../../app/jobs/local/file-job-queue.ts';
import { Janitor } from '../../../app/jobs/janitor.ts';
import type { Job, JobRequest } from '../../../app/jobs/job.ts';
import { ANYONE, newJobId } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { Journal } from '../../../app/jobs/local/journal.ts';
import { StateFolder } from '../../../app/jobs/local/state-folder.ts';
import type { StoredJob } from '../../../app/jobs/local/stored-job.ts';
import { createLogger } from '../../../app/logger.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';
import { echoResults } from '../../support/servers/http-service.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HOUR = 3_600_000;
const logger = createLogger({ logLevel: 'error' });
logger.silent = true;

describe('Janitor', () => {
  let folder: TemporaryFolder;
  let files: JobFiles;
  let queue: FileJobQueue;
  let janitor: Janitor;
  /** Jobs that are not let go run for ever. */
  let held: Set<string>;

  beforeEach(async () => {
    folder = await temporaryFolder();
    files = new JobFiles({ uploadFolder: join(folder.path, 'in'), processedFolder: join(folder.path, 'out') });
    await files.prepare();
    held = new Set();
    const journal = new Journal<StoredJob>(new StateFolder(files.stateFolder));
    queue = new FileJobQueue({ files, journal, logger, workers: 1, maxQueue: 100 });
    await queue.start((job, { signal }) =>
      held.has(job.id)
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
        : echoResults(files, job),
    );
    janitor = new Janitor({ queue, files, logger, jobTtlMs: HOUR, janitorIntervalMs: HOUR });
  });

  afterEach(async () => {
    await queue.close();
    await folder.remove();
  });

  const request = async (): Promise<JobRequest> => {
    const id = newJobId();
    await writeFile(files.input(id, 0), 'image');
    return {
      id,
      caller: ANYONE,
      method: 'upscale',
      inputs: [{ file: files.input(id, 0), name: 'photo.png', sha256: 'i' }],
      work: { kind: 'hires-fix', options: upscaleOptions.parse({}) },
      output: outputOptions.parse({}),
      warnings: [],
    };
  };
  const completed = async (): Promise<Job> => {
    const asked = await request();
    const ended = new Promise<Job>((resolve) =>
      queue.events.on('completed', (job) => job.id === asked.id && resolve(job)),
    );
    await queue.submit(asked);
    return ended;
  };

  it('removes results after their time, and not before', async () => {
    const job = await completed();
    const end = job.finishedAt ?? 0;
    expect(await janitor.sweep(end + HOUR)).toEqual({ expired: 0, orphans: 0 });
    expect((await folder.jobFiles()).length).toBe(1);
    expect(await janitor.sweep(end + HOUR + 1)).toEqual({ expired: 1, orphans: 0 });
    expect(await folder.jobFiles()).toEqual([]);
    await expect(queue.get(job.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
  });

  it('leaves what is being read until it has been', async () => {
    const job = await completed();
    const later = Date.now() + 9 * HOUR;
    await files.reading(job, async () => {
      expect((await janitor.sweep(later)).expired).toBe(0);
    });
    expect((await janitor.sweep(later)).expired).toBe(1);
  });

  it('never touches a job that waits or runs, however old it is', async () => {
    const [running, waiting] = [await request(), await request()];
    held.add(running.id);
    await queue.submit(running);
    await queue.submit(waiting);
    await janitor.sweep(Date.now() + 99 * HOUR);
    expect(await folder.jobFiles()).toEqual([`in/${running.id}-0`, `in/${waiting.id}-0`].sort());
    expect((await queue.get(waiting.id)).status).toBe('queued');
  });

  it('removes what nobody owns when it is old, and nothing that the service did not name', async () => {
    const upload = files.input(newJobId(), 0);
    const results = join(folder.path, 'out', newJobId());
    const foreign = join(folder.path, 'out', 'holiday.png');
    await mkdir(results);
    for (const file of [upload, join(results, 'half.png'), foreign]) await writeFile(file, 'x');
    expect(await janitor.sweep()).toEqual({ expired: 0, orphans: 0 });
    const old = new Date(Date.now() - 2 * HOUR);
    for (const path of [upload, results, foreign]) await utimes(path, old, old);
    expect(await janitor.sweep()).toEqual({ expired: 0, orphans: 2 });
    expect(await folder.jobFiles()).toEqual(['out/holiday.png']);
  });
});
