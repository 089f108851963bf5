import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import { HeldJobs } from '../../../support/servers/held-jobs.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { openHttpService } from '../../../support/servers/http-service.ts';

const HOUR_MS = 3_600_000;

describe.each([
  ['an hour ahead', HOUR_MS],
  ['two hours back', -2 * HOUR_MS],
])('a clock that is set %s while jobs wait and run', (_where, jumpMs) => {
  let service: HttpService;
  let jobs: HeldJobs;

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await service.close();
  });

  const submit = async (): Promise<string> => {
    const response = await request(service.url)
      .post('/jobs')
      .field({ method: 'upscale' })
      .attach('file', Buffer.from('a'), 'a.png');
    return (response.body as { job_id: string }).job_id;
  };
  const etaOf = async (id: string): Promise<unknown> =>
    ((await request(service.url).get(`/jobs/${id}`)).body as { eta_seconds: unknown }).eta_seconds;
  const setClock = (): void => {
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + jumpMs);
  };

  it('changes neither what they are said to take nor what they took', async () => {
    const started = jobs.next();
    const first = await submit();
    await started;
    const second = await submit();
    await sleep(200);
    setClock();
    const completed = once(service.queue.events, 'completed');
    const next = jobs.next();
    jobs.complete(first);
    await completed;
    await next;
    const third = await submit();
    expect([await etaOf(second), await etaOf(third)]).toEqual([1, expect.any(Number)]);
    expect(await etaOf(third)).toBeLessThan(5);
    const { headers } = await request(service.url).get(`/jobs/${first}/results/0`).expect(200);
    expect(Number(/queue;dur=([\d.]+)/.exec(String(headers['server-timing']))?.[1])).toBeLessThan(1000);
    const { text } = await request(service.url).get('/metrics');
    const sumOf = (name: string): number =>
      Number(new RegExp(`^hiresfix_${name}_sum.* ([\\d.e+-]+)$`, 'm').exec(text)?.[1]);
    expect(sumOf('job_seconds')).toBeGreaterThan(0.19);
    expect(sumOf('job_seconds')).toBeLessThan(5);
    expect(sumOf('job_wait_seconds')).toBeLessThan(5);
  });
});
