import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { HeldJobs } from '../../../support/servers/held-jobs.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { openHttpService } from '../../../support/servers/http-service.ts';
import type { RawConnection } from '../../../support/servers/raw-http.ts';
import { postHead, rawConnection } from '../../../support/servers/raw-http.ts';

const KEY = 'Idempotency-Key: shared';
const IMAGE = 'an image, as far as this job knows';
/** The same work by every route that does it, so that one key stands for one job: `/comfy` answers PNG alone. */
const QUERY = '?output_format=png&method=upscale';
const FORM = [
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
  `${IMAGE}\r\n--b--\r\n`,
].join('');

describe('a job that several callers have by one Idempotency-Key', () => {
  let service: HttpService;
  let jobs: HeldJobs;
  /** Who listens while no request waits. */
  let idle: number;

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle);
    idle = service.queue.events.listenerCount('completed');
  });

  afterEach(async () => {
    await service.close();
  });

  /** A request that is open until its caller goes away. */
  const ask = async (path: string): Promise<RawConnection> => {
    const connection = await rawConnection(service.port);
    const type = 'Content-Type: multipart/form-data; boundary=b';
    connection.write(postHead(path + QUERY, type, `Content-Length: ${FORM.length}`, KEY) + FORM);
    return connection;
  };
  /** Until so many requests wait for jobs to end. */
  const waiting = async (count: number): Promise<void> => {
    while (service.queue.events.listenerCount('completed') - idle !== count) await new Promise(setImmediate);
  };
  const stillRuns = async (id: string): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 50)); // what would cancel it has done so by now
    return (await service.queue.get(id)).status === 'processing';
  };
  const accepted = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const response = await request(service.url)
      .post(path + QUERY)
      .set({ 'Content-Type': 'multipart/form-data; boundary=b', 'Idempotency-Key': 'shared', ...headers })
      .send(FORM);
    expect([response.status, response.headers['idempotent-replayed']]).toEqual([202, 'true']);
    return (response.body as { job_id: string }).job_id;
  };

  const WAITING = ['/upscale', '/comfy/upscale', '/comfy/upscale_stream'];

  it.each(WAITING.flatMap((one) => WAITING.map((other) => [one, other])))(
    'outlives the one at %s while the other waits at %s, and ends with both',
    async (one, other) => {
      const started = jobs.next();
      const first = await ask(one);
      const id = await started;
      const second = await ask(other);
      await waiting(2);
      first.destroy();
      await waiting(1);
      expect(await stillRuns(id)).toBe(true);
      const cancelled = once(service.queue.events, 'cancelled');
      second.destroy();
      await cancelled;
    },
  );

  it.each(WAITING.flatMap((one) => ['/upscale', '/jobs'].map((other) => [one, other] as const)))(
    'outlives the one who waits at %s where the other was given its id by %s',
    async (one, other) => {
      const started = jobs.next();
      const connection = await ask(one);
      const id = await started;
      expect(await accepted(other, other === '/jobs' ? {} : { Prefer: 'respond-async' })).toBe(id);
      await waiting(1);
      connection.destroy();
      await waiting(0);
      expect(await stillRuns(id)).toBe(true);
      const completed = once(service.queue.events, 'completed');
      jobs.complete(id);
      await completed;
    },
  );
});
