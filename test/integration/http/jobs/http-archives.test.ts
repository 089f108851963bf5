import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../../support/servers/http-service.ts';

const KEY = 'sesame';
/** Begins each entry of a ZIP's directory. */
const DIRECTORY = 'PK\u0001\u0002';

describe('results of several jobs as one archive', () => {
  let service: HttpService;
  let ids: readonly string[];

  beforeAll(async () => {
    const digest = (key: string) => createHash('sha256').update(key).digest('hex');
    service = await openHttpService(echo, { apiKeyDigests: [digest(KEY), digest('other')] });
    ids = [await made('one'), await made('two'), await made('three')];
  });

  afterAll(() => service.close());

  /** The id of a job that has made a picture of its text. */
  const made = async (text: string): Promise<string> => {
    const response = await request(service.url)
      .post('/upscale')
      .set('X-API-KEY', KEY)
      .attach('file', Buffer.from(text), { filename: 'a.png', contentType: 'image/png' });
    return String(response.headers['x-job-id']);
  };
  const link = async (jobs: readonly object[], key = KEY) => {
    const response = await request(service.url).post('/archives').set('X-API-KEY', key).send({ jobs });
    return { status: response.status, body: response.body as { readonly url: string; readonly code?: string } };
  };

  it('come by a link that needs no key, under their folders and names of their own', async () => {
    const folders = ['holiday/day 1', '../..//holiday/day 1', ''];
    const { status, body } = await link(ids.map((id, index) => ({ job_id: id, folder: folders[index] })));
    expect(status).toBe(201);
    const response = await request(service.url).get(body.url).responseType('blob');
    const zip = (response.body as Buffer).toString('latin1');
    expect(response.headers).toMatchObject({ 'content-type': 'application/zip', 'content-length': String(zip.length) });
    const names = [...zip.slice(zip.indexOf(DIRECTORY)).matchAll(/[\w/ ]*a_upscaled( \(2\))?\.png/g)].map(
      ([name]) => name,
    );
    expect(names).toEqual(['holiday/day 1/a_upscaled.png', 'holiday/day 1/a_upscaled (2).png', 'a_upscaled.png']);
    for (const text of ['one', 'two', 'three']) expect(zip).toContain(text);
  });

  it('are not sent again to who has them', async () => {
    const { body } = await link([{ job_id: ids[0] }]);
    for (const path of [body.url, `/jobs/${String(ids[1])}/results.zip`]) {
      const get = (headers: Record<string, string>) =>
        request(service.url)
          .get(path)
          .set({ 'X-API-KEY': KEY, ...headers });
      const etag = String((await get({})).headers['etag']);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await get({ 'If-None-Match': known });
        expect([known, again.status, again.headers['etag'], again.headers['content-length']]).toEqual([
          known,
          304,
          etag,
          undefined,
        ]);
      }
      expect((await get({ 'If-None-Match': '"other"' })).status).toBe(200);
    }
  });

  it("are nobody's but their caller's, and only of jobs that have ended well", async () => {
    const strange = await link([{ job_id: ids[0] }], 'other');
    expect([strange.status, strange.body.code]).toEqual([404, 'ERR_JOB_NOT_FOUND']);
    expect((await request(service.url).post('/archives').send({ jobs: [] })).status).toBe(401);
    expect((await link([])).body.code).toBe('ERR_BAD_PARAMETER');
    const unknown = await request(service.url).get(`/archives/${'0'.repeat(32)}.zip`);
    expect(unknown.status).toBe(404);
  });
});
