import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echoResults, openHttpService } from '../../support/servers/http-service.ts';

const FACE = { index: 0, box: [1, 2, 31, 42], landmarks: [[9, 9], [20, 9], [15, 15], [10, 20], [19, 20]], score: 0.9, size: 30 }; // prettier-ignore

describe('POST /faces', () => {
  let service: HttpService;

  beforeEach(async () => {
    service = await openHttpService((files) => async (job) => {
      const results = await echoResults(files, job);
      for (const { file } of results) await writeFile(file, JSON.stringify({ faces: [FACE] }));
      return results;
    });
  });

  afterEach(() => service.close());

  const post = (fields: Record<string, string>, prefer = 'wait=30') =>
    request(service.url)
      .post('/faces')
      .set('Prefer', prefer)
      .field(fields)
      .attach('file', Buffer.from('a'), 'photo.png');

  it('answers with the faces and what was done, in JSON', async () => {
    const response = await post({ face_model: 'gfpgan', colour: 'red' });
    expect(response.status).toBe(200);
    expect(response.headers['etag']).toMatch(/^"[0-9a-f]{64}"$/);
    const warnings: unknown = ['unknown field "colour" was ignored'];
    expect(response.body).toMatchObject({ faces: [FACE], info: { job_id: response.headers['x-job-id'], warnings } });
  });

  it('is a job like any other, by its own fields', async () => {
    const response = await post({ face_model: 'codeformer' }, 'respond-async');
    expect(response.status).toBe(202);
    const { job_id: id } = response.body as { job_id: string };
    expect(await service.queue.get(id)).toMatchObject({
      method: 'faces',
      work: { kind: 'find-faces', options: { face_model: 'codeformer' } },
    });
  });

  it('names the networks whose faces can be listed', async () => {
    const response = await post({ face_model: 'realesrgan' });
    expect(response.status).toBe(400);
    const detail: unknown = expect.stringContaining('face_model: must be gfpgan, codeformer, restoreformer, got');
    expect(response.body).toMatchObject({ code: 'ERR_BAD_PARAMETER', detail });
    expect(await service.folder.jobFiles()).toEqual([]);
  });
});
