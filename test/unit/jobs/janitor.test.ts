import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FileJobQueue } from '../../../app/jobs/local/file-job-queue.ts';
import { Janitor } from '../../../app/jobs/janitor.ts';
import type { Job, JobRequest } from '../../../app/jobs/job.ts';
import { newJobId } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { Journal } from '../../../app/jobs/local/journal.ts';
import { StateFolder } from '../../../app/jobs/local/state-folder.ts';
import type { StoredJob } from '../../../app/jobs/local/stored-job.ts';
import { createLogger } from '../../../app/logger.ts';
import { upscaleRequest } from '../../support/made-jobs.ts';
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
    await open();
  });

  const open = async (): Promise<void> => {
    const journal = new Journal<StoredJob>(new StateFolder(files.stateFolder));
    queue = new FileJobQueue({ files, journal, logger, workers: 1, maxQueue: 100 });
    await queue.start((job, { signal }) =>
      held.has(job.id)
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
        : echoResults(files, job),
    );
    janitor = new Janitor({ queue, files, logger, jobTtlMs: HOUR, janitorIntervalMs: HOUR });
  };

  let aheadMs: number;
  let passedMs: number;
  const [wall, steady] = [Date.now.bind(Date), performance.now.bind(performance)];
  beforeEach(() => {
    [aheadMs, passedMs] = [0, 0];
    jest.spyOn(Date, 'now').mockImplementation(() => wall() + passedMs + aheadMs);
    jest.spyOn(performance, 'now').mockImplementation(() => steady() + passedMs);
  });
  /** The clock on the wall is set. */
  const setClock = (ms: number): void => void (aheadMs += ms);
  /** Time passes, which both clocks show. */
  const pass = (ms: number): void => void (passedMs += ms);

  afterEach(async () => {
    jest.restoreAllMocks();
    await queue.close();
    await folder.remove();
  });

  const request = (): Promise<JobRequest> => upscaleRequest(files);
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
    pass(HOUR - 60_000);
    expect(await janitor.sweep()).toEqual({ expired: 0, orphans: 0 });
    expect((await folder.jobFiles()).length).toBe(1);
    pass(60_001);
    expect(await janitor.sweep()).toEqual({ expired: 1, orphans: 0 });
    expect(await folder.jobFiles()).toEqual([]);
    await expect(queue.get(job.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
  });

  it.each([
    ['a year ahead', 8766 * HOUR],
    ['a year back', -8766 * HOUR],
  ])('keeps results for their time when the clock is set %s, before and after a restart', async (_where, jumpMs) => {
    const before = await completed();
    setClock(jumpMs);
    const after = await completed();
    expect((await janitor.sweep()).expired).toBe(0);
    pass(HOUR - 60_000);
    expect((await janitor.sweep()).expired).toBe(0);
    pass(60_001);
    expect((await janitor.sweep()).expired).toBe(2);
    for (const { id } of [before, after])
      await expect(queue.get(id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
    const kept = await completed();
    await queue.close();
    await open();
    setClock(jumpMs);
    expect((await janitor.sweep()).expired).toBe(0);
    expect(await queue.get(kept.id)).toMatchObject({ status: 'completed' });
    pass(HOUR + 1000);
    expect((await janitor.sweep()).expired).toBe(1);
  });

  it('counts the time that a service was not there', async () => {
    await completed();
    await queue.close();
    pass(HOUR + 1000);
    await open();
    expect(await janitor.sweep()).toEqual({ expired: 1, orphans: 0 });
  });

  it('leaves what is being read until it has been', async () => {
    const job = await completed();
    pass(9 * HOUR);
    await files.reading(job, async () => {
      expect((await janitor.sweep()).expired).toBe(0);
    });
    expect((await janitor.sweep()).expired).toBe(1);
  });

  it('never touches a job that waits or runs, however old it is', async () => {
    const [running, waiting] = [await request(), await request()];
    held.add(running.id);
    await queue.submit(running);
    await queue.submit(waiting);
    await janitor.sweep();
    pass(99 * HOUR);
    await janitor.sweep();
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
    expect(await janitor.sweep()).toEqual({ expired: 0, orphans: 0 });
    pass(HOUR / 2);
    expect(await janitor.sweep()).toEqual({ expired: 0, orphans: 2 });
    expect(await folder.jobFiles()).toEqual(['out/holiday.png']);
  });

  it('leaves an upload that is coming in while the clock is set ahead', async () => {
    const upload = files.input(newJobId(), 0);
    await writeFile(upload, 'x');
    setClock(8766 * HOUR);
    expect((await janitor.sweep()).orphans).toBe(0);
    expect(await folder.jobFiles()).toHaveLength(1);
  });
});
