import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HiresFixError } from '../../../app/errors.ts';
import type { Job, JobHandler, JobHooks, JobRequest, JobResult } from '../../../app/jobs/job.ts';
import { newJobId } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import type { MemoryJobQueueOptions } from '../../../app/jobs/memory-job-queue.ts';
import { MemoryJobQueue } from '../../../app/jobs/memory-job-queue.ts';
import { createLogger } from '../../../app/logger.ts';
import { TaskFailedError } from '../../../app/worker/errors.ts';
import type { WorkProgress } from '../../../app/processing/progress.ts';
import { outputOptions, upscaleOptions } from '../../../app/processing/upscale-options.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A handler whose jobs end when the test says so. */
class ManualHandler {
  readonly started: string[] = [];
  readonly hooks = new Map<string, JobHooks>();
  readonly #ends = new Map<string, PromiseWithResolvers<readonly JobResult[]>>();

  readonly run: JobHandler = (job, hooks) => {
    this.started.push(job.id);
    this.hooks.set(job.id, hooks);
    return this.#end(job.id).promise;
  };

  complete(id: string, results: readonly JobResult[] = []): void {
    this.#end(id).resolve(results);
  }

  fail(id: string, error: Error): void {
    this.#end(id).reject(error);
  }

  /** A job's end may be decided before it starts. */
  #end(id: string): PromiseWithResolvers<readonly JobResult[]> {
    const end = this.#ends.get(id) ?? withResolvers<readonly JobResult[]>();
    this.#ends.set(id, end);
    return end;
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let settle!: Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'>;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => undefined); // it may be rejected before anyone waits for it
  return { promise, ...settle };
}

class PaperJamError extends HiresFixError {
  readonly code = 'ERR_PAPER_JAM';
}

describe('MemoryJobQueue', () => {
  let folder: TemporaryFolder;
  let files: JobFiles;
  let handler: ManualHandler;
  let queue: MemoryJobQueue;

  const open = (options: Partial<MemoryJobQueueOptions> = {}): MemoryJobQueue => {
    const logger = createLogger({ logLevel: 'error' });
    logger.silent = true;
    queue = new MemoryJobQueue({ files, logger, workers: 1, maxQueue: 10, ...options });
    queue.process(handler.run);
    return queue;
  };
  const request = async (idempotency?: JobRequest['idempotency']): Promise<JobRequest> => {
    const id = newJobId();
    const file = files.input(id, 0);
    await writeFile(file, 'image');
    return {
      id,
      method: 'upscale',
      inputs: [{ file, name: 'photo.png' }],
      options: upscaleOptions.parse({}),
      output: outputOptions.parse({}),
      warnings: [],
      ...(idempotency && { idempotency }),
    };
  };
  const submit = async (idempotency?: JobRequest['idempotency']): Promise<Job> =>
    (await queue.submit(await request(idempotency))).job;
  const ending = (id: string): Promise<Job> =>
    new Promise((resolve) => {
      for (const event of ['completed', 'failed', 'cancelled'] as const) {
        queue.events.on(event, (job) => {
          if (job.id === id) resolve(job);
        });
      }
    });
  const progress = (done: number): WorkProgress => ({
    stage: 'upscaling',
    progress: done,
    stageProgress: done,
    image: 1,
    images: 1,
  });

  beforeEach(async () => {
    folder = await temporaryFolder();
    files = new JobFiles({ uploadFolder: join(folder.path, 'in'), processedFolder: join(folder.path, 'out') });
    await files.prepare();
    handler = new ManualHandler();
  });

  afterEach(async () => {
    for (const id of handler.started) handler.fail(id, new Error('the test is over'));
    await queue.close();
    expect(await folder.files()).toEqual([]);
    await folder.remove();
  });

  it('answers with the job as it was accepted, and starts it', async () => {
    open();
    const job = await submit();
    expect(job).toMatchObject({ status: 'queued', queuePosition: 1, progress: { stage: 'queued', progress: 0 } });
    expect(await queue.get(job.id)).toMatchObject({ status: 'processing', queuePosition: 0 });
  });

  it('runs as many at once as there are workers, the oldest first', async () => {
    open({ workers: 2 });
    const jobs = [await submit(), await submit(), await submit(), await submit()].map(({ id }) => id);
    expect(handler.started).toEqual(jobs.slice(0, 2));
    const [first = '', , third = '', fourth = ''] = jobs;
    expect((await queue.get(third)).queuePosition).toBe(1);
    expect((await queue.get(fourth)).queuePosition).toBe(2);
    const ended = ending(first);
    handler.complete(first);
    await ended;
    expect((await queue.get(third)).status).toBe('processing');
    expect((await queue.get(fourth)).queuePosition).toBe(1);
  });

  it('refuses more jobs than may wait, says when to come back, and removes their files', async () => {
    open({ maxQueue: 2 });
    await submit();
    await submit();
    await submit();
    expect(() => queue.admit()).toThrow(expect.objectContaining({ code: 'ERR_QUEUE_FULL', retryAfterSeconds: 10 }));
    const refused = await request();
    await expect(queue.submit(refused)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(await folder.files()).not.toContain(`in/${refused.id}-0`);
  });

  it('completes a job with its results and removes its input', async () => {
    open();
    const job = await submit();
    const ended = ending(job.id);
    await files.createResultFolder(job.id);
    await writeFile(`${files.resultStem(job.id, 0)}.png`, 'result');
    handler.complete(job.id, [{ index: 0, file: 'x.png', bytes: 6, sha256: 'abc', info: {} } as unknown as JobResult]);
    const completed = await ended;
    expect(completed).toMatchObject({ status: 'completed', progress: { progress: 1 }, results: [{ sha256: 'abc' }] });
    expect(await folder.files()).toEqual([`out/${job.id}/0.png`]);
  });

  it('fails a job by the code of its error, and removes what it had written', async () => {
    open();
    const job = await submit();
    const ended = ending(job.id);
    await mkdir(join(folder.path, 'out', job.id));
    await writeFile(`${files.resultStem(job.id, 0)}.png.partial`, 'half');
    handler.fail(job.id, new PaperJamError('paper jam in tray 2'));
    expect(await ended).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_PAPER_JAM', message: 'paper jam in tray 2' },
    });
  });

  it.each([
    ['here', new Error('/secret/path')],
    ['in a worker', new TaskFailedError({ code: 'ERR_INTERNAL', message: 'TypeError: x\n    at /secret/path' })],
  ])('tells nothing about errors that nobody planned %s', async (_where, error) => {
    open();
    const job = await submit();
    const ended = ending(job.id);
    handler.fail(job.id, error);
    expect((await ended).error).toEqual({ code: 'ERR_INTERNAL', message: 'Internal processing error' });
  });

  it('cancels a waiting job at once, and those behind it move up', async () => {
    open();
    await submit();
    const [waiting, behind] = [await submit(), await submit()];
    expect(await queue.cancel(waiting.id)).toMatchObject({ status: 'cancelled' });
    expect((await queue.get(behind.id)).queuePosition).toBe(1);
    expect(handler.started).not.toContain(waiting.id);
  });

  it('cancels a running job: it is told to stop, and its place is free when it has', async () => {
    open();
    const [running, waiting] = [await submit(), await submit()];
    expect(await queue.cancel(running.id)).toMatchObject({ status: 'cancelled' });
    expect(handler.hooks.get(running.id)?.signal.aborted).toBe(true);
    expect((await queue.get(waiting.id)).status).toBe('queued');
    const started = new Promise((resolve) =>
      queue.events.on('progress', (job) => job.id === waiting.id && resolve(job)),
    );
    handler.fail(running.id, new PaperJamError('stopped'));
    expect(await started).toMatchObject({ status: 'processing' });
    expect((await queue.get(running.id)).status).toBe('cancelled');
  });

  it('cancels twice with the same answer, but not what has ended otherwise', async () => {
    open();
    const first = await submit();
    const ended = ending(first.id);
    handler.complete(first.id);
    await ended;
    const second = await submit();
    expect(await queue.cancel(second.id)).toMatchObject({ status: 'cancelled' });
    expect(await queue.cancel(second.id)).toMatchObject({ status: 'cancelled' });
    await expect(queue.cancel(first.id)).rejects.toMatchObject({ code: 'ERR_JOB_FINISHED' });
    await expect(queue.cancel('nope')).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
  });

  it('ends a job once, whether its cancelling or its completion comes first', async () => {
    open();
    const endings: string[] = [];
    for (const event of ['completed', 'failed', 'cancelled'] as const) {
      queue.events.on(event, (job) => endings.push(`${job.id} ${event}`));
    }
    const jobs: string[] = [];
    for (let round = 0; round < 50; round++) {
      const job = await submit();
      jobs.push(job.id);
      const ended = ending(job.id);
      handler.complete(job.id);
      for (let tick = 0; tick < round % 7; tick++) await Promise.resolve();
      if (round % 2 === 0) await queue.cancel(job.id).catch(() => undefined);
      await ended;
    }
    expect(endings.map((line) => line.split(' ')[0])).toEqual(jobs);
  });

  it('passes progress on at most ten times a second, never falling, the newest never lost', async () => {
    open();
    const job = await submit();
    const seen: { at: number; done: number }[] = [];
    queue.events.on('progress', (now) => seen.push({ at: performance.now(), done: now.progress.progress }));
    const hooks = handler.hooks.get(job.id);
    for (let step = 1; step <= 60; step++) {
      hooks?.onProgress(progress(step === 40 ? 0.01 : step / 100));
      await sleep(5);
    }
    const last = new Promise<void>((resolve) =>
      queue.events.on('progress', (now) => now.progress.progress === 0.6 && resolve()),
    );
    if (seen.at(-1)?.done !== 0.6) await last;
    const gaps = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(90);
    expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(2);
  });

  it('says nothing about a job after its end', async () => {
    open();
    const job = await submit();
    const hooks = handler.hooks.get(job.id);
    const events: string[] = [];
    hooks?.onProgress(progress(0.2));
    const ended = ending(job.id);
    handler.complete(job.id);
    await ended;
    queue.events.on('progress', (now) => events.push(now.id));
    hooks?.onProgress(progress(0.3));
    await sleep(150); // longer than the pause between two progress events
    expect(events).toEqual([]);
  });

  it('answers a second request of the same key and content with the first job', async () => {
    open();
    const first = await submit({ key: 'k', fingerprint: 'f' });
    const again = await request({ key: 'k', fingerprint: 'f' });
    expect(await queue.submit(again)).toMatchObject({ isReplay: true, job: { id: first.id } });
    expect(await folder.files()).toEqual([`in/${first.id}-0`]);
    expect(await queue.findByKey('k')).toMatchObject({ id: first.id });
  });

  it('refuses a key that belongs to another request', async () => {
    open();
    await submit({ key: 'k', fingerprint: 'f' });
    const other = await request({ key: 'k', fingerprint: 'g' });
    await expect(queue.submit(other)).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
  });

  it('makes one job of a hundred simultaneous duplicates', async () => {
    open();
    const requests = await Promise.all(Array.from({ length: 100 }, () => request({ key: 'k', fingerprint: 'f' })));
    const submissions = await Promise.all(requests.map((one) => queue.submit(one)));
    expect(new Set(submissions.map(({ job }) => job.id)).size).toBe(1);
    expect((await folder.files()).length).toBe(1);
  });

  it('runs a request again whose job failed or was cancelled', async () => {
    open();
    const first = await submit({ key: 'k', fingerprint: 'f' });
    await queue.cancel(first.id);
    const second = await submit({ key: 'k', fingerprint: 'f' });
    expect(second.id).not.toBe(first.id);
  });

  it('lists jobs newest first, page by page', async () => {
    open();
    const ids = [await submit(), await submit(), await submit()].map(({ id }) => id).reverse();
    const first = await queue.list({ limit: 2 });
    expect(first.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const rest = await queue.list({ limit: 2, after: first.next ?? '' });
    expect(rest.jobs.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(rest.next).toBeUndefined();
  });

  it('forgets the oldest ended jobs with their results', async () => {
    open({ keptJobs: 2 });
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      const job = await submit({ key: String(round), fingerprint: 'f' });
      ids.push(job.id);
      const ended = ending(job.id);
      await files.createResultFolder(job.id);
      await writeFile(`${files.resultStem(job.id, 0)}.png`, 'result');
      handler.complete(job.id);
      await ended;
    }
    await expect(queue.get(ids[0] ?? '')).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
    expect(await queue.findByKey('0')).toBeUndefined();
    await queue.close();
    expect(await folder.files()).toEqual([]);
  });

  it('lets running jobs finish while it closes, if they are given the time', async () => {
    open();
    const [running, waiting] = [await submit(), await submit()];
    const ended = ending(running.id);
    const closing = queue.close(10_000);
    expect(queue.isAccepting).toBe(false);
    expect(() => queue.admit()).toThrow(expect.objectContaining({ code: 'ERR_NOT_READY' }));
    expect((await queue.get(waiting.id)).status).toBe('cancelled');
    handler.complete(running.id);
    expect((await ended).status).toBe('completed');
    await closing;
  });
});
