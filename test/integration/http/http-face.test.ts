import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { HeldJobs } from '../../support/servers/held-jobs.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { openHttpService } from '../../support/servers/http-service.ts';

describe('POST /face', () => {
  let service: HttpService;
  let jobs: HeldJobs;

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle);
  });

  afterEach(() => service.close());

  const post = (fields: Record<string, string>) =>
    request(service.url)
      .post('/face')
      .set('Prefer', 'respond-async')
      .field(fields)
      .attach('file', Buffer.from('a'), 'photo.png');

  it('asks for the faces of a picture by its fields', async () => {
    const response = await post({ face_model: 'codeformer', fidelity: '0.7', faces: '0,2', strict: 'true' });
    expect(response.status).toBe(202);
    const { job_id: id } = response.body as { job_id: string };
    expect(await service.queue.get(id)).toMatchObject({
      method: 'face',
      work: { kind: 'face', options: { face_model: 'codeformer', fidelity: 0.7, faces: [0, 2], strict: true } },
      warnings: [],
    });
  });

  it.each([
    [{ fidelity: '1.5' }, 'fidelity: must be a number from 0 to 1'],
    [{ face_restoration_strength: '-1' }, 'face_restoration_strength: must be a number from 0 to 1'],
    [{ face_model: 'realesrgan' }, 'face_model: must go with aligned=true'],
    [{ size: '256' }, 'size: must go with aligned=true'],
    [{ face_model: 'dlib' }, 'face_model: must be gfpgan, codeformer, restoreformer, realesrgan'],
    [{ min_face_size: '-1' }, 'min_face_size: must be a whole number of at least 0'],
    [{ faces: 'all' }, 'faces: must be whole numbers from 0'],
  ])('names the field that is bad and what is allowed (%j)', async (fields, detail) => {
    const response = await post(fields);
    expect(response.status).toBe(400);
    expect((response.body as { detail: string }).detail).toContain(detail);
    expect(await service.folder.jobFiles()).toEqual([]);
  });
});
