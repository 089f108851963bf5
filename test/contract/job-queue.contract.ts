import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HiresFixError } from '../../app/errors.ts';
import type { QueueFullError } from '../../app/jobs/errors.ts';
import type { Job, JobRequest, JobResult } from '../../app/jobs/job.ts';
import { ANYONE } from '../../app/jobs/job.ts';
import { JobFiles } from '../../app/jobs/job-files.ts';
import type { JobQueue } from '../../app/jobs/job-queue.ts';
import { MAX_CRASHES } from '../../app/jobs/job-queue.ts';
import type { WorkProgress } from '../../app/processing/progress.ts';
import { TaskFailedError, WorkerCrashedError } from '../../app/worker/errors.ts';
import { eventually } from '../support/eventually.ts';
import { upscaleRequest, writtenResult } from '../support/made-jobs.ts';
import { ManualHandler } from '../support/servers/manual-handler.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export interface QueueOptions {
  readonly workers: number;
  readonly maxQueue: number;
  readonly maxQueuePerCaller?: number;
  readonly keptJobs?: number;
}

export interface QueueSubject {
  /** A queue that is not started, over the store of the test; one at a time. */
  readonly create: (files: JobFiles, options: QueueOptions) => JobQueue;
}

class PaperJamError extends HiresFixError {
  readonly code = 'ERR_PAPER_JAM';
  readonly fault = 'machine';
}

const ENDINGS = ['completed', 'failed', 'cancelled'] as const;

/** What every job queue promises (app/jobs/job-queue.ts). */
export function jobQueueContract(name: string, { create }: QueueSubject): void {
  describe(`${name}, as a job queue`, () => {
    let folder: TemporaryFolder;
    let files: JobFiles;
    let handler: ManualHandler;
    let queue: JobQueue;

    const open = async (options: Partial<QueueOptions> = {}): Promise<JobQueue> => {
      handler = new ManualHandler();
      queue = create(files, { workers: 1, maxQueue: 10, ...options });
      await queue.start(handler.run);
      return queue;
    };
    /** Another server takes over. */
    const reopen = async (options: Partial<QueueOptions> = {}): Promise<void> => {
      const closing = queue.close();
      handler.failAll();
      await closing;
      await open(options);
    };
    const request = (changes: Partial<JobRequest> = {}): Promise<JobRequest> => upscaleRequest(files, changes);
    const submit = async (changes: Partial<JobRequest> = {}): Promise<Job> =>
      (await queue.submit(await request(changes))).job;
    const ending = (id: string): Promise<Job> =>
      new Promise((resolve) => {
        for (const event of ENDINGS) queue.events.on(event, (job) => job.id === id && resolve(job));
      });
    const progress = (done: number): WorkProgress => ({
      stage: 'upscaling',
      progress: done,
      stageProgress: done,
      image: 1,
      images: 1,
    });
    const result = (job: Job, text?: string): Promise<JobResult> => writtenResult(files, job, text);
    const complete = async (id: string): Promise<Job> => {
      const job = await handler.running(id);
      const ended = ending(id);
      handler.complete(id, [await result(job)]);
      return ended;
    };
    const jobFiles = (): Promise<string[]> => folder.jobFiles();

    beforeEach(async () => {
      folder = await temporaryFolder();
      files = new JobFiles({ uploadFolder: join(folder.path, 'in'), processedFolder: join(folder.path, 'out') });
      await files.prepare();
    });

    afterEach(async () => {
      const closing = queue.close();
      handler.failAll();
      await closing;
      await folder.remove();
    });

    describe('takes jobs', () => {
      it('answers with the job as it was accepted, and starts it', async () => {
        await open();
        const job = await submit();
        expect(job).toMatchObject({ status: 'queued', queuePosition: 1, progress: { stage: 'queued', progress: 0 } });
        await handler.start(job.id);
        expect(await queue.get(job.id)).toMatchObject({ status: 'processing', queuePosition: 0, attempt: 1 });
      });

      it('says nothing of jobs, and takes none, before it has started', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        const closing = queue.close();
        handler.failAll();
        await closing;
        queue = create(files, { workers: 1, maxQueue: 10 });
        expect(queue.isAccepting).toBe(false);
        for (const ask of [
          queue.get(job.id),
          queue.list({ limit: 1 }),
          queue.findByKey({ caller: ANYONE, key: 'k' }),
          queue.cancel(job.id),
          queue.admit({ caller: ANYONE }),
        ]) {
          await expect(ask).rejects.toMatchObject({ code: 'ERR_NOT_READY' });
        }
      });

      it('refuses more jobs than may wait, says when to come back, and removes their files', async () => {
        await open({ maxQueue: 2 });
        const first = await submit();
        await handler.start(first.id);
        await submit();
        await submit();
        await expect(queue.admit({ caller: ANYONE })).rejects.toMatchObject({
          code: 'ERR_QUEUE_FULL',
          retryAfterSeconds: 10,
        });
        handler.hooks(first.id).onProgress({ ...progress(0.2), secondsLeft: 98.7 });
        const secondsToWait = (): Promise<unknown> =>
          queue.admit({ caller: ANYONE }).catch((error: unknown) => (error as QueueFullError).retryAfterSeconds);
        expect(await eventually(secondsToWait, (seconds) => seconds !== 10)).toBe(99);
        const refused = await request();
        await expect(queue.submit(refused)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', retryAfterSeconds: 99 });
        expect(await jobFiles()).not.toContain(`in/${refused.id}-0`);
      });

      it('counts requests that come at once', async () => {
        await open({ maxQueue: 3 });
        const requests = await Promise.all(Array.from({ length: 20 }, () => request()));
        const answers = await Promise.allSettled(requests.map((one) => queue.submit(one)));
        // One may have started before the others came.
        expect([3, 4]).toContain(answers.filter(({ status }) => status === 'fulfilled').length);
      });

      it('refuses a caller whose share is full, and nobody else', async () => {
        await open({ maxQueue: 5, maxQueuePerCaller: 1 });
        const first = await submit({ caller: 'a' });
        await handler.start(first.id);
        await submit({ caller: 'a' });
        await expect(queue.admit({ caller: 'a' })).rejects.toMatchObject({ code: 'ERR_CALLER_QUEUE_FULL' });
        await expect(submit({ caller: 'a' })).rejects.toMatchObject({ code: 'ERR_CALLER_QUEUE_FULL' });
        expect(await submit({ caller: 'b' })).toMatchObject({ status: 'queued' });
      });
    });

    describe('runs jobs', () => {
      it('runs as many at once as there are workers, the oldest first', async () => {
        await open({ workers: 2 });
        const jobs = [await submit(), await submit(), await submit(), await submit()].map(({ id }) => id);
        const [first = '', second = '', third = '', fourth = ''] = jobs;
        await Promise.all([handler.start(first), handler.start(second)]);
        expect(await queue.counts()).toEqual({ queued: 2, processing: 2 });
        expect(handler.started).toEqual(jobs.slice(0, 2));
        expect((await queue.get(third)).queuePosition).toBe(1);
        expect((await queue.get(fourth)).queuePosition).toBe(2);
        await complete(first);
        await handler.start(third);
        expect((await queue.get(fourth)).queuePosition).toBe(1);
      });

      it('lets downloads and images not wait for each other', async () => {
        await open();
        const download = { method: 'download', inputs: [], work: { kind: 'download', model: 'm' } } as const;
        const [image, behind] = [await submit(), await submit()];
        await handler.start(image.id);
        const fetched = await submit(download);
        expect((await handler.start(fetched.id)).queuePosition).toBe(0);
        expect(await queue.get(behind.id)).toMatchObject({ status: 'queued', queuePosition: 1 });
        await complete(image.id);
        await handler.start(behind.id);
        const ended = ending(fetched.id);
        handler.complete(fetched.id, []);
        expect(await ended).toMatchObject({ status: 'completed', results: [], progress: { stage: 'downloading' } });
      });

      it('lets callers take turns', async () => {
        await open();
        const first = await submit({ caller: 'a' });
        await handler.start(first.id);
        const names = new Map([[first.id, 'a0']]);
        for (const who of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) {
          names.set((await submit({ caller: who.slice(0, 1) })).id, who);
        }
        const waiting = (await queue.list({ limit: 10 })).jobs.filter(({ status }) => status === 'queued');
        const byPosition = [...waiting].sort((a, b) => a.queuePosition - b.queuePosition);
        const expected = ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'];
        expect(byPosition.map(({ id }) => names.get(id))).toEqual(expected);
        await complete(first.id);
        for (const { id } of byPosition) await complete(id);
        expect(handler.started.map((id) => names.get(id))).toEqual(['a0', ...expected]);
      });

      it('completes a job with its results and removes its input', async () => {
        await open();
        const job = await submit();
        const completed = await complete(job.id);
        expect(completed).toMatchObject({ status: 'completed', progress: { progress: 1 }, results: [{ bytes: 6 }] });
        expect(await jobFiles()).toEqual([`out/${job.id}/1/0.png`]);
      });

      it('fails a job by the code of its error, and removes what it had written', async () => {
        await open();
        const job = await submit();
        const ended = ending(job.id);
        await result(await handler.start(job.id), 'half');
        handler.fail(job.id, new PaperJamError('paper jam in tray 2'));
        expect(await ended).toMatchObject({
          status: 'failed',
          error: { code: 'ERR_PAPER_JAM', message: 'paper jam in tray 2' },
        });
        expect(await jobFiles()).toEqual([]);
      });

      it.each([
        ['here', new Error('/secret/path')],
        [
          'in a worker',
          new TaskFailedError({ code: 'ERR_INTERNAL', fault: 'machine', message: 'TypeError: x\n    at /secret/path' }),
        ],
      ])('tells nothing about errors that nobody planned %s', async (_where, error) => {
        await open();
        const job = await submit();
        const ended = ending(job.id);
        handler.fail(job.id, error);
        expect((await ended).error).toEqual({ code: 'ERR_INTERNAL', message: 'Internal processing error' });
      });

      it('keeps what is said of single images', async () => {
        await open();
        const job = await submit();
        const ended = ending(job.id);
        const started = await handler.start(job.id);
        handler.hooks(job.id).onImageFailed({ index: 1, code: 'ERR_BAD_IMAGE', message: 'no image' });
        expect((await queue.get(job.id)).failures).toEqual([{ index: 1, code: 'ERR_BAD_IMAGE', message: 'no image' }]);
        handler.complete(job.id, [await result(started)]);
        expect(await ended).toMatchObject({ status: 'completed', failures: [{ index: 1 }], results: [{ index: 0 }] });
      });

      it('runs a job again whose worker died, and fails it when it has died too often', async () => {
        await open();
        const job = await submit();
        const ended = ending(job.id);
        for (let attempt = 1; attempt <= MAX_CRASHES; attempt++) {
          expect((await handler.start(job.id)).attempt).toBe(attempt);
          expect(handler.hooks(job.id).mayRetry).toBe(attempt < MAX_CRASHES);
          handler.fail(job.id, new WorkerCrashedError('the worker process was killed'));
        }
        expect(await ended).toMatchObject({ status: 'failed', error: { code: 'ERR_WORKER_CRASHED' } });
        expect(handler.started.length).toBe(MAX_CRASHES);
      });

      it('completes a job whose worker died once', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        handler.fail(job.id, new WorkerCrashedError('the worker process was killed'));
        expect(await complete(job.id)).toMatchObject({ status: 'completed', attempt: 2 });
      });
    });

    describe('tells of jobs', () => {
      it('passes progress on at most ten times a second, never falling, the newest never lost', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        const seen: { at: number; done: number }[] = [];
        queue.events.on('progress', (now) => seen.push({ at: performance.now(), done: now.progress.progress }));
        for (let step = 1; step <= 60; step++) {
          handler.hooks(job.id).onProgress(progress(step === 40 ? 0.01 : step / 100));
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
        await open();
        const job = await submit();
        const started = await handler.start(job.id);
        const hooks = handler.hooks(job.id);
        const events: string[] = [];
        hooks.onProgress(progress(0.2));
        const ended = ending(job.id);
        handler.complete(job.id, [await result(started)]);
        await ended;
        queue.events.on('progress', (now) => events.push(now.id));
        hooks.onProgress(progress(0.3));
        await sleep(150); // longer than the pause between two progress events
        expect(events).toEqual([]);
      });

      it('says when a job will be done only when it has measured how long jobs take', async () => {
        await open();
        const [first, second] = [await submit(), await submit()];
        expect((await queue.get(second.id)).etaSeconds).toBeUndefined();
        await complete(first.id);
        await handler.start(second.id);
        const third = await submit();
        expect((await queue.get(third.id)).etaSeconds).toBeGreaterThanOrEqual(0);
      });

      it('lists jobs newest first, page by page, of all or of one caller', async () => {
        await open();
        const ids = [await submit(), await submit({ caller: 'b' }), await submit()].map(({ id }) => id).reverse();
        const first = await queue.list({ limit: 2 });
        expect(first.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
        const rest = await queue.list({ limit: 2, after: first.next ?? '' });
        expect(rest.jobs.map(({ id }) => id)).toEqual(ids.slice(2));
        expect(rest.next).toBeUndefined();
        expect((await queue.list({ limit: 9, caller: 'b' })).jobs.map(({ id }) => id)).toEqual(ids.slice(1, 2));
      });
    });

    describe('cancels jobs', () => {
      it('ends a waiting job at once, and those behind it move up', async () => {
        await open();
        const running = await submit();
        await handler.start(running.id);
        const [waiting, behind] = [await submit(), await submit()];
        expect(await queue.cancel(waiting.id)).toMatchObject({ status: 'cancelled' });
        expect((await queue.get(behind.id)).queuePosition).toBe(1);
        expect(await jobFiles()).not.toContain(`in/${waiting.id}-0`);
      });

      it('tells a running job to stop, and its place is free when it has', async () => {
        await open();
        const [running, waiting] = [await submit(), await submit()];
        await handler.start(running.id);
        expect(await queue.cancel(running.id)).toMatchObject({ status: 'cancelled' });
        expect(handler.hooks(running.id).signal.aborted).toBe(true);
        expect((await queue.get(waiting.id)).status).toBe('queued');
        handler.fail(running.id, new PaperJamError('stopped'));
        await handler.start(waiting.id);
        expect((await queue.get(running.id)).status).toBe('cancelled');
      });

      it('answers the same when asked twice, but does not cancel what has ended otherwise', async () => {
        await open();
        const first = await submit();
        await complete(first.id);
        const second = await submit();
        expect(await queue.cancel(second.id)).toMatchObject({ status: 'cancelled' });
        expect(await queue.cancel(second.id)).toMatchObject({ status: 'cancelled' });
        await expect(queue.cancel(first.id)).rejects.toMatchObject({ code: 'ERR_JOB_FINISHED' });
        await expect(queue.cancel('nope')).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
      });

      it('ends a job once, whether its cancelling or its completion comes first', async () => {
        await open();
        const endings: string[] = [];
        for (const event of ENDINGS) queue.events.on(event, (job) => endings.push(`${job.id} ${event}`));
        const jobs: string[] = [];
        for (let round = 0; round < 50; round++) {
          const job = await submit();
          jobs.push(job.id);
          const written = await result(await handler.start(job.id));
          const ended = ending(job.id);
          handler.complete(job.id, [written]);
          for (let tick = 0; tick < round % 7; tick++) await new Promise(setImmediate);
          const told = round % 2 === 0 ? await queue.cancel(job.id).catch(() => undefined) : undefined;
          const { status } = await ended;
          expect(told?.status ?? status).toBe(status);
          expect((await queue.get(job.id)).status).toBe(status);
        }
        expect(endings.map((line) => line.split(' ')[0])).toEqual(jobs);
      });
    });

    describe('knows requests by their keys', () => {
      const keyed = { idempotency: { key: 'k', fingerprint: 'f' } };

      it('answers a second request of the same key and content with the first job', async () => {
        await open();
        const first = await submit(keyed);
        expect(await queue.submit(await request(keyed))).toMatchObject({ isReplay: true, job: { id: first.id } });
        expect(await jobFiles()).toEqual([`in/${first.id}-0`]);
        expect(await queue.findByKey({ caller: ANYONE, key: 'k' })).toMatchObject({ id: first.id });
      });

      it('refuses a key that belongs to another request of the caller, and takes it from another caller', async () => {
        await open();
        const first = await submit(keyed);
        const other = { idempotency: { key: 'k', fingerprint: 'g' } };
        await expect(submit(other)).rejects.toMatchObject({ code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
        expect((await submit({ ...other, caller: 'b' })).id).not.toBe(first.id);
      });

      it('makes one job of a hundred simultaneous duplicates', async () => {
        await open();
        const requests = await Promise.all(Array.from({ length: 100 }, () => request(keyed)));
        const submissions = await Promise.all(requests.map((one) => queue.submit(one)));
        expect(new Set(submissions.map(({ job }) => job.id)).size).toBe(1);
        expect((await jobFiles()).length).toBe(1);
      });

      it('lets a request through that a full queue has room for, because its key has brought it already', async () => {
        await open({ maxQueue: 1 });
        const first = await submit();
        await handler.start(first.id);
        await submit(keyed);
        await queue.admit({ caller: ANYONE, idempotencyKey: 'k' });
        await expect(queue.admit({ caller: ANYONE, idempotencyKey: 'l' })).rejects.toMatchObject({
          code: 'ERR_QUEUE_FULL',
        });
      });

      it('runs a request again whose job failed or was cancelled', async () => {
        await open();
        const first = await submit(keyed);
        await queue.cancel(first.id);
        expect((await submit(keyed)).id).not.toBe(first.id);
      });

      it('still knows them after a restart', async () => {
        await open();
        const waiting = await submit(keyed);
        await reopen();
        expect(await queue.submit(await request(keyed))).toMatchObject({ isReplay: true, job: { id: waiting.id } });
        await complete(waiting.id);
        await reopen();
        expect(await queue.findByKey({ caller: ANYONE, key: 'k' })).toMatchObject({ status: 'completed' });
      });
    });

    describe('survives', () => {
      it('goes on with what waited and what ran, in the same order', async () => {
        await open();
        const jobs = [await submit({ warnings: ['w'] }), await submit(), await submit()];
        const ids = jobs.map(({ id }) => id);
        await handler.start(ids[0] ?? '');
        await reopen();
        await handler.start(ids[0] ?? '');
        expect(await queue.get(ids[1] ?? '')).toMatchObject({ status: 'queued', queuePosition: 1 });
        for (const id of ids) await complete(id);
        expect(handler.started).toEqual(ids);
        expect(await queue.get(ids[0] ?? '')).toMatchObject({
          warnings: ['w'],
          attempt: 2,
          createdAt: jobs[0]?.createdAt,
        });
      });

      it('keeps the ends of jobs, with their results', async () => {
        await open();
        const [completed, failed, cancelled] = [await submit(), await submit(), await submit()];
        const done = await complete(completed.id);
        const ended = ending(failed.id);
        handler.fail(failed.id, new PaperJamError('again'));
        await ended;
        await queue.cancel(cancelled.id);
        await reopen();
        expect({ ...(await queue.get(completed.id)), steady: undefined }).toEqual({ ...done, steady: undefined });
        expect(await queue.get(failed.id)).toMatchObject({ status: 'failed', error: { message: 'again' } });
        expect(await queue.get(cancelled.id)).toMatchObject({ status: 'cancelled' });
        expect(await jobFiles()).toEqual([`out/${completed.id}/1/0.png`]);
        expect(handler.started).toEqual([]);
      });

      it('counts the deaths of workers over restarts, and restarts not among them', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        handler.fail(job.id, new WorkerCrashedError('killed'));
        await handler.start(job.id);
        await reopen();
        await handler.start(job.id);
        handler.fail(job.id, new WorkerCrashedError('killed'));
        await handler.start(job.id);
        const ended = ending(job.id);
        handler.fail(job.id, new WorkerCrashedError('killed'));
        expect(await ended).toMatchObject({ status: 'failed', error: { code: 'ERR_WORKER_CRASHED' }, attempt: 4 });
      });

      it('fails a job at whose side the server stopped again and again', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        for (let restart = 1; restart <= 10; restart++) {
          await reopen();
          expect((await handler.start(job.id)).attempt).toBe(restart + 1);
        }
        await reopen();
        expect(await queue.get(job.id)).toMatchObject({ status: 'failed', error: { code: 'ERR_JOB_INTERRUPTED' } });
      });
    });

    describe('forgets', () => {
      it('jobs that ended longer ago than asked, with their results; what lives or is read stays', async () => {
        await open();
        const [old, read, fresh] = [
          await submit({ idempotency: { key: 'k', fingerprint: 'f' } }),
          await submit(),
          await submit(),
        ];
        await complete(old.id);
        await complete(read.id);
        await sleep(20);
        const between = performance.now();
        await sleep(20);
        await complete(fresh.id);
        const waiting = await submit();
        await files.reading(read, async () => {
          expect(await queue.expire(performance.now() - between)).toBe(1);
        });
        await expect(queue.get(old.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
        expect(await queue.findByKey({ caller: ANYONE, key: 'k' })).toBeUndefined();
        const kept = [`in/${waiting.id}-0`, ...[read.id, fresh.id].map((id) => `out/${id}/1/0.png`)];
        expect(await jobFiles()).toEqual(kept.sort());
        await reopen();
        await expect(queue.get(old.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
        expect(await queue.expire(performance.now() - between)).toBe(1);
        expect(await queue.get(waiting.id)).toBeDefined();
      });

      it('one job that has ended, when somebody asks, also while it is read, and tells so', async () => {
        await open();
        const keyed = { idempotency: { key: 'k', fingerprint: 'f' } };
        const [done, cancelled, running] = [await submit(keyed), await submit(), await submit()];
        const removed: string[] = [];
        queue.events.on('removed', ({ id }) => removed.push(id));
        await complete(done.id);
        await queue.cancel(cancelled.id);
        await handler.start(running.id);
        await expect(queue.remove(running.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_ENDED' });
        await files.reading(done, () => queue.remove(done.id));
        await queue.remove(cancelled.id);
        for (const { id } of [done, cancelled]) {
          await expect(queue.get(id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
          await expect(queue.remove(id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
        }
        expect(removed).toEqual([done.id, cancelled.id]);
        expect(await queue.findByKey({ caller: ANYONE, key: 'k' })).toBeUndefined();
        expect(await jobFiles()).toEqual([`in/${running.id}-0`]);
        await reopen();
        await expect(queue.get(done.id)).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
        expect((await queue.list({ limit: 9 })).jobs.map(({ id }) => id)).toEqual([running.id]);
      });

      it('the oldest ended jobs, where there are too many', async () => {
        await open({ keptJobs: 2 });
        const ids: string[] = [];
        for (let round = 0; round < 3; round++) {
          const job = await submit();
          ids.push(job.id);
          await complete(job.id);
        }
        while ((await jobFiles()).length > 2) await sleep(1);
        await expect(queue.get(ids[0] ?? '')).rejects.toMatchObject({ code: 'ERR_JOB_NOT_FOUND' });
        expect((await queue.list({ limit: 9 })).jobs.length).toBe(2);
      });
    });

    describe('closes', () => {
      it('lets running jobs finish, if they are given the time, and keeps those that wait', async () => {
        await open();
        const [running, waiting] = [await submit(), await submit()];
        const started = await handler.start(running.id);
        const interrupted: string[] = [];
        queue.events.on('interrupted', ({ id }) => interrupted.push(id));
        const closing = queue.close(10_000);
        expect(queue.isAccepting).toBe(false);
        await expect(queue.admit({ caller: ANYONE })).rejects.toMatchObject({ code: 'ERR_NOT_READY' });
        const ended = ending(running.id);
        handler.complete(running.id, [await result(started)]);
        expect((await ended).status).toBe('completed');
        await closing;
        expect(interrupted).toEqual([waiting.id]);
        await open();
        expect((await handler.start(waiting.id)).status).toBe('processing');
      });

      it('stops what runs longer than that, tells of it, and runs it again at the next start', async () => {
        await open();
        const job = await submit();
        await handler.start(job.id);
        const interrupted = new Promise<Job>((resolve) => queue.events.once('interrupted', resolve));
        const { signal } = handler.hooks(job.id);
        signal.addEventListener('abort', () => handler.fail(job.id, new PaperJamError('stopped')));
        await queue.close(1);
        expect((await interrupted).status).toBe('processing');
        await open();
        expect(await complete(job.id)).toMatchObject({ status: 'completed', attempt: 2 });
      });
    });
  });
}
