import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { MAX_CRASHES } from '../../../../app/jobs/job-queue.ts';
import { TaskFailedError, WorkerCrashedError } from '../../../../app/worker/errors.ts';
import { HeldJobs } from '../../../support/servers/held-jobs.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { openHttpService } from '../../../support/servers/http-service.ts';
import { postHead, rawConnection } from '../../../support/servers/raw-http.ts';

const IMAGE = Buffer.from('an image, as far as this job knows');

interface Accepted {
  readonly job_id: string;
  readonly status: string;
  readonly queue_position: number;
}

describe('a job over HTTP', () => {
  let service: HttpService;
  let jobs: HeldJobs;

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle, { maxQueue: 2 });
  });

  afterEach(async () => {
    await service.close();
  });

  const post = (headers: Record<string, string> = {}, query = '') =>
    request(service.url)
      .post(`/upscale${query}`)
      .set({ 'Content-Type': 'image/png', ...headers })
      .send(IMAGE);
  const accept = async (headers: Record<string, string> = {}): Promise<Accepted> =>
    (await post({ Prefer: 'respond-async', ...headers })).body as Accepted;
  const get = (path: string) => request(service.url).get(path);
  /** The id of a job that has just been completed. */
  const completedJob = async (): Promise<string> => {
    const started = jobs.next();
    const { job_id: id } = await accept();
    await started;
    const completed = once(service.queue.events, 'completed');
    jobs.complete(id);
    await completed;
    return id;
  };

  it('is answered with the image and with what was done', async () => {
    const started = jobs.next();
    const [id, response] = await Promise.all([
      started.then((job) => {
        jobs.complete(job);
        return job;
      }),
      post({}, '?upscaler=NEAREST').buffer(true),
    ]);
    expect(response.status).toBe(200);
    expect(response.body).toEqual(IMAGE);
    expect(response.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(IMAGE.length),
      'content-disposition': 'attachment; filename=image_upscaled.png',
      'x-job-id': id,
      'x-model': 'NEAREST',
      'x-scale': '1',
      'x-device': 'cpu',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(response.headers['etag']).toMatch(/^"[0-9a-f]{64}"$/);
    expect(response.headers['server-timing']).toMatch(/^queue;dur=[\d.]+, decode;dur=10, total;dur=20$/);
  });

  it('is answered at once with where to ask, if that is preferred', async () => {
    const response = await post({ Prefer: 'respond-async' });
    const { job_id: id } = response.body as Accepted;
    expect(response.status).toBe(202);
    expect(response.body).toEqual({ job_id: id, status: 'queued', queue_position: 1 });
    expect(response.headers).toMatchObject({
      location: `/jobs/${id}`,
      'preference-applied': 'respond-async',
      'x-job-id': id,
    });
  });

  it('is waited for as long as was asked, and no longer', async () => {
    const started = jobs.next();
    const tooShort = await post({ Prefer: 'wait=1', 'Idempotency-Key': 'w' });
    expect([tooShort.status, (tooShort.body as Accepted).status]).toEqual([202, 'processing']);
    const id = await started;
    const waiting = post({ Prefer: 'wait=20', 'Idempotency-Key': 'w' });
    jobs.complete(id);
    const response = await waiting;
    expect([response.status, response.headers['preference-applied']]).toEqual([200, 'wait=20']);
  });

  it('goes through its states, as GET /jobs/{id} and /status/{id} tell them', async () => {
    const started = jobs.next();
    const { job_id: id } = await accept();
    await started;
    jobs
      .hooks(id)
      .onProgress({ stage: 'upscaling', progress: 0.5, stageProgress: 0.6, image: 1, images: 1, tile: 3, tiles: 5 });
    expect((await get(`/jobs/${id}`)).body).toMatchObject({
      job_id: id,
      method: 'upscale',
      status: 'processing',
      stage: 'upscaling',
      progress: 0.5,
      stage_progress: 0.6,
      tile: 3,
      tiles: 5,
      queue_position: 0,
      results: [],
      error: null,
    });
    const early = await get(`/jobs/${id}/results/0`);
    expect([early.status, (early.body as { code: string }).code]).toEqual([409, 'ERR_JOB_NOT_COMPLETED']);
    const completed = once(service.queue.events, 'completed');
    jobs.complete(id);
    await completed;
    expect((await get(`/status/${id}`)).body).toEqual({
      status: 'completed',
      queue_position: 0,
      progress: 1,
      results: [{ original_filename: 'image', url: `/processed/${id}-0.png` }],
      error: null,
    });
  });

  it('gives its result as often as it is asked, in parts, and not to those who have it', async () => {
    const id = await completedJob();
    for (const path of [`/jobs/${id}/results/0`, `/processed/${id}-0.png`]) {
      const whole = await get(path).buffer(true);
      expect([whole.status, whole.body]).toEqual([200, IMAGE]);
      const etag = String(whole.headers['etag']);
      expect((await get(path).set('If-None-Match', etag)).status).toBe(304);
      const part = await get(path).set('Range', 'bytes=3-7').buffer(true);
      expect([part.status, String(part.body)]).toEqual([206, 'image']);
      const beyond = await get(path).set('Range', 'bytes=9999-');
      expect([beyond.status, beyond.headers['content-type']]).toEqual([416, 'application/problem+json']);
      expect(beyond.body).toMatchObject({ detail: expect.stringMatching(/^The Range begins beyond the end/) });
      const other = await get(path).set('If-Match', '"another"');
      expect(other.body).toMatchObject({ status: 412, detail: expect.stringContaining('If-Match') });
      expect((await request(service.url).head(path)).headers['content-length']).toBe(String(IMAGE.length));
    }
    for (const path of [
      `/jobs/${id}/results/1`,
      `/jobs/${id}/results/-1`,
      `/jobs/${id}/results/0x0`,
      `/processed/${id}-0.webp`,
    ]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('is cancelled by DELETE, also while it runs', async () => {
    const started = jobs.next();
    const { job_id: id } = await accept();
    await started;
    const { signal } = jobs.hooks(id);
    const cancelled = await request(service.url).delete(`/jobs/${id}`);
    expect([cancelled.status, (cancelled.body as { status: string }).status]).toEqual([200, 'cancelled']);
    expect(signal.aborted).toBe(true);
    expect((await get(`/jobs/${id}/results/0`)).status).toBe(409);
  });

  it('tells the one who waits when somebody else cancels it', async () => {
    const started = jobs.next();
    const [response] = await Promise.all([post(), started.then((id) => request(service.url).delete(`/jobs/${id}`))]);
    expect([response.status, (response.body as { code: string }).code]).toEqual([409, 'ERR_CANCELLED']);
  });

  it('is removed by DELETE when it is done, with its results', async () => {
    const id = await completedJob();
    expect((await get(`/jobs/${id}/results/0`)).status).toBe(200);
    const response = await request(service.url).delete(`/jobs/${id}`);
    expect([response.status, response.text]).toEqual([204, '']);
    for (const path of [`/jobs/${id}`, `/status/${id}`, `/jobs/${id}/results/0`, `/jobs/${id}/events`])
      expect((await get(path)).status).toBe(404);
    expect((await request(service.url).delete(`/jobs/${id}`)).status).toBe(404);
  });

  it('is cancelled when the one who waits for it disconnects', async () => {
    const started = jobs.next();
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', 'Content-Type: image/png', 'Content-Length: 1'));
    connection.write('x');
    const id = await started;
    const cancelled = once(service.queue.events, 'cancelled');
    connection.destroy();
    await cancelled;
    expect(jobs.hooks(id).signal.aborted).toBe(true);
  });

  it('is refused with 429 and Retry-After when the queue is full, before its body is read', async () => {
    await accept();
    await accept();
    await accept();
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', 'Content-Type: image/png', 'Content-Length: 9', 'Expect: 100-continue'));
    const answer = await connection.until(/\}$/);
    expect(answer).toMatch(/^HTTP\/1.1 429 /);
    expect(answer).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(answer).toContain('ERR_QUEUE_FULL');
    connection.destroy();
  });

  it('is the same job for the same key and content, and 409 for other content', async () => {
    const key = { 'Idempotency-Key': '"order-7"' };
    const first = await accept(key);
    const replay = await post({ Prefer: 'respond-async', 'Idempotency-Key': 'order-7' });
    expect(replay.headers['idempotent-replayed']).toBe('true');
    expect((replay.body as Accepted).job_id).toBe(first.job_id);
    const other = await post({ Prefer: 'respond-async', ...key }, '?scale=3');
    expect([other.status, (other.body as { code: string }).code]).toEqual([409, 'ERR_IDEMPOTENCY_KEY_REUSED']);
    const bad = await post({ 'Idempotency-Key': '' });
    expect([bad.status, (bad.body as { code: string }).code]).toEqual([400, 'ERR_BAD_PARAMETER']);
  });

  it.each([
    ['ERR_BAD_CHECKPOINT', 503, 'Bad checkpoint'],
    ['ERR_UNKNOWN_UPSCALER', 400, 'Unknown upscaler'],
    ['ERR_MODEL_UNAVAILABLE', 503, 'Model unavailable'],
    ['ERR_SOMETHING_NEW', 500, 'Internal processing error'],
  ])('that fails by %s is answered with %i as a problem', async (code, status, title) => {
    const [response] = await Promise.all([
      post(),
      jobs
        .next()
        .then((id) => jobs.fail(id, new TaskFailedError({ code, fault: 'machine', message: 'what happened' }))),
    ]);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toEqual({
      type: `urn:hiresfix:error:${code.slice(4).toLowerCase().replaceAll('_', '-')}`,
      title,
      status,
      detail: 'what happened',
      instance: '/upscale',
      code,
      request_id: response.headers['x-request-id'],
    });
  });

  it('that fails for a reason nobody planned is answered with 500 and no more', async () => {
    const [response] = await Promise.all([post(), jobs.next().then((id) => jobs.fail(id, new Error('/home/secret')))]);
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({ code: 'ERR_INTERNAL', detail: 'Internal processing error' });
  });

  it('whose worker died is answered with a clear 500', async () => {
    const [response] = await Promise.all([
      post(),
      (async () => {
        for (let death = 0; death < MAX_CRASHES; death++) {
          jobs.fail(await jobs.next(), new WorkerCrashedError('the worker process was killed'));
        }
      })(),
    ]);
    expect([response.status, (response.body as { detail: string }).detail]).toEqual([
      500,
      'the worker process was killed',
    ]);
  });

  it('is listed, newest first, page by page', async () => {
    const ids = [await accept(), await accept(), await accept()].map(({ job_id }) => job_id).reverse();
    const first = (await get('/jobs?limit=2')).body as { jobs: Accepted[]; next_cursor: string };
    expect(first.jobs.map(({ job_id }) => job_id)).toEqual(ids.slice(0, 2));
    const rest = (await get(`/jobs?limit=2&cursor=${first.next_cursor}`)).body as {
      jobs: Accepted[];
      next_cursor: null;
    };
    expect([rest.jobs.map(({ job_id }) => job_id), rest.next_cursor]).toEqual([ids.slice(2), null]);
    expect((await get('/jobs?status=failed')).headers['x-warnings']).toBe('unknown field "status" was ignored');
    expect((await get('/jobs?limit=0')).status).toBe(400);
    expect((await get('/jobs?cursor=nope')).status).toBe(404);
  });

  it.each([
    '/jobs/nope',
    '/status/nope',
    '/jobs/nope/results/0',
    '/processed/nope',
    '/processed/..%2f..%2fetc%2fpasswd',
    '/nope',
  ])('that is unknown is a 404 (%s)', async (path) => {
    const response = await get(path);
    expect([response.status, response.headers['content-type']]).toEqual([404, 'application/problem+json']);
  });

  it('has a path that can be decoded, or is a 400', async () => {
    expect((await get('/jobs/%zz')).status).toBe(400);
  });
});
