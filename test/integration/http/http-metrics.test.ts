import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { JobHandler } from '../../../app/jobs/job.ts';
import type { JobFiles } from '../../../app/jobs/job-files.ts';
import type { ResultInfo } from '../../../app/processing/result.ts';
import { TaskFailedError } from '../../../app/worker/errors.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echoResults, openHttpService } from '../../support/servers/http-service.ts';
import { HeldJobs } from '../../support/servers/held-jobs.ts';

const MADE = {
  upscaler: 'COMPACT_X2',
  tiles: 6,
  face_model: 'gfpgan-1.4',
  fallbacks: [{ from: 'REALESRGAN_X2PLUS', to: 'COMPACT_X2', reason: 'not installed' }],
  seconds: { decode: 0.02, upscale: 2, total: 2.5 },
} as Partial<ResultInfo>;

/** Jobs that end as fast as they start, with a record of more than they did. */
const made =
  (info: Partial<ResultInfo>) =>
  (files: JobFiles): JobHandler =>
  async (job) =>
    (await echoResults(files, job)).map((result) => ({ ...result, info: { ...result.info, ...info } }));

describe('GET /metrics', () => {
  let service: HttpService | undefined;
  let url: string;

  const open = async (...args: Parameters<typeof openHttpService>): Promise<void> => {
    service = await openHttpService(...args);
    url = service.url;
  };
  beforeEach(() => (service = undefined));
  afterEach(() => service?.close());

  const post = (prefer = 'wait=10', query = '') =>
    request(url).post(`/upscale${query}`).set({ 'Content-Type': 'image/png', Prefer: prefer }).send('image');
  /** Samples by their name with labels. */
  const scrape = async (): Promise<ReadonlyMap<string, number>> => {
    const { text } = await request(url).get('/metrics');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  };

  it('counts jobs, images, tiles, fallbacks and restorations, and takes the time of stages', async () => {
    await open(made(MADE));
    await post();
    await post();
    const metrics = await scrape();
    const expected = {
      'hiresfix_jobs_total{method="upscale",outcome="completed"}': 2,
      'hiresfix_images_total{outcome="completed"}': 2,
      'hiresfix_images_total{outcome="failed"}': 0,
      'hiresfix_tiles_total{model="COMPACT_X2"}': 12,
      'hiresfix_fallbacks_total{from="REALESRGAN_X2PLUS",to="COMPACT_X2"}': 2,
      'hiresfix_restorations_total{outcome="fell_back"}': 2,
      'hiresfix_stage_seconds_count{stage="upscale",model="COMPACT_X2"}': 2,
      'hiresfix_stage_seconds_sum{stage="upscale",model="COMPACT_X2"}': 4,
      'hiresfix_stage_seconds_bucket{le="1",stage="upscale",model="COMPACT_X2"}': 0,
      'hiresfix_stage_seconds_bucket{le="3",stage="upscale",model="COMPACT_X2"}': 2,
      'hiresfix_job_seconds_count{method="upscale"}': 2,
      'hiresfix_job_wait_seconds_count{method="upscale"}': 2,
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, metrics.get(name)]))).toEqual(expected);
    expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(10 * 2 ** 20);
  });

  it('tells what waits and what runs, and what failed', async () => {
    const jobs = new HeldJobs();
    await open(jobs.handle);
    const started = jobs.next();
    await post('respond-async', '?is_face_enhance=true');
    const id = await started;
    await post('respond-async');
    const busy = await scrape();
    expect(busy.get('hiresfix_jobs{status="queued"}')).toBe(1);
    expect(busy.get('hiresfix_jobs{status="processing"}')).toBe(1);
    const next = jobs.next();
    jobs.fail(id, new TaskFailedError({ code: 'ERR_INFERENCE', fault: 'machine', message: 'it did not run' }));
    jobs.complete(await next);
    await request(url).get(`/jobs/${id}`);
    const after = await scrape();
    expect(after.get('hiresfix_jobs_total{method="upscale",outcome="failed"}')).toBe(1);
    expect(after.get('hiresfix_restorations_total{outcome="failed"}')).toBe(1);
    expect(after.get('hiresfix_jobs{status="queued"}')).toBe(0);
  });

  it('is in the format that Prometheus asks for', async () => {
    await open(made({}));
    const { headers, text } = await request(url).get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('# TYPE hiresfix_stage_seconds histogram');
  });
});
