import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { HeldJobs } from '../../support/servers/held-jobs.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { openHttpService } from '../../support/servers/http-service.ts';
import { rawConnection } from '../../support/servers/raw-http.ts';

interface Accepted {
  readonly job_id: string;
  readonly status: string;
}

describe('jobs that are submitted', () => {
  let service: HttpService;
  let jobs: HeldJobs;

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle, { maxQueue: 2, maxFileSizeBytes: 1000 });
  });

  afterEach(() => service.close());

  const image = (text: string): Buffer => Buffer.from(text);
  const submit = (fields: Record<string, string>, files: readonly string[] = ['a'], path = '/jobs') => {
    const call = request(service.url).post(path).field(fields);
    for (const [index, text] of files.entries()) call.attach('files', image(text), `photo-${index}.png`);
    return call;
  };
  const complete = async (id: string): Promise<void> => {
    const completed = once(service.queue.events, 'completed');
    jobs.complete(id);
    await completed;
  };

  it('take several images by any method, and give their results one by one', async () => {
    const started = jobs.next();
    const response = await submit({ method: 'upscale', upscaler: 'NEAREST', scale: '3', colour: 'blue' }, ['a', 'b']);
    const { job_id: id } = response.body as Accepted;
    expect([response.status, response.body]).toEqual([202, { job_id: id, status: 'queued', queue_position: 1 }]);
    expect(response.headers['location']).toBe(`/jobs/${id}`);
    expect(await started).toBe(id);
    expect(await service.queue.get(id)).toMatchObject({
      method: 'upscale',
      work: { kind: 'hires-fix', options: { upscaler: 'NEAREST', scale: 3 } },
      warnings: ['unknown field "colour" was ignored'],
    });
    await complete(id);
    for (const [index, text] of ['a', 'b'].entries()) {
      const result = await request(service.url).get(`/jobs/${id}/results/${index}`).buffer(true);
      expect([result.status, String(result.body)]).toEqual([200, text]);
      expect(result.headers['content-disposition']).toBe(`attachment; filename=photo-${index}_upscaled.png`);
    }
  });

  it.each(['file', 'files', 'files[]', 'image', 'images', 'image[]'])(
    'take images in parts called %s',
    async (part) => {
      const started = jobs.next();
      const response = await request(service.url)
        .post('/jobs')
        .field({ method: 'upscale', model: 'NEAREST', outscale: '3' })
        .attach(part, image('a'), 'a.png');
      expect(response.status).toBe(202);
      expect(await service.queue.get(await started)).toMatchObject({
        work: { options: { upscaler: 'NEAREST', scale: 3 } },
        warnings: [],
      });
    },
  );

  it('are refused where two names of a field differ, and leave nothing', async () => {
    const response = await submit({ method: 'upscale', scale: '2', outscale: '3' });
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      code: 'ERR_BAD_PARAMETER',
      detail: 'scale, outscale: mean the same and must not differ, got "2" and "3"',
    });
  });

  it('restore as an old photo is restored, where they do not say how', async () => {
    const started = jobs.next();
    const { job_id: id } = (await submit({ method: 'restore' })).body as Accepted;
    await started;
    expect(await service.queue.get(id)).toMatchObject({
      work: {
        kind: 'restore',
        steps: ['face', 'colorize'],
        options: { face_model: 'codeformer', colorize_model: 'deoldify-artistic' },
      },
    });
    await complete(id);
    const result = await request(service.url).get(`/jobs/${id}/results/0`);
    expect(result.headers['content-disposition']).toBe('attachment; filename=photo-0_restored.png');
  });

  it.each([{}, { method: 'sharpen' }, { method: 'upsacle' }])('name a method that there is (%j)', async (fields) => {
    const response = await submit(fields);
    expect(response.status).toBe(400);
    expect((response.body as { detail: string }).detail).toMatch(
      /^method: must be upscale, enhance, restore, colorize/,
    );
    expect(await service.folder.jobFiles()).toEqual([]);
  });

  it('leave nothing behind when one of the images is too large, or a field is bad', async () => {
    expect((await submit({ method: 'upscale' }, ['a', 'x'.repeat(1001)])).status).toBe(413);
    expect((await submit({ method: 'upscale', scale: '-1' }, ['a', 'b'])).status).toBe(400);
    expect((await submit({ method: 'upscale' }, [])).status).toBe(400);
    expect(await service.folder.jobFiles()).toEqual([]);
  });

  it('are refused before their body is read when the queue is full', async () => {
    const started = jobs.next();
    await submit({ method: 'upscale' });
    await started;
    await submit({ method: 'upscale' });
    await submit({ method: 'upscale' });
    const response = await submit({ method: 'upscale' });
    expect([response.status, (response.body as { code: string }).code]).toEqual([429, 'ERR_QUEUE_FULL']);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('are one job for one Idempotency-Key', async () => {
    const keyed = (scale: string) => submit({ method: 'upscale', scale }).set('Idempotency-Key', 'k');
    const first = await keyed('2');
    const again = await keyed('2');
    expect((again.body as Accepted).job_id).toBe((first.body as Accepted).job_id);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect((await keyed('3')).status).toBe(409);
  });

  it('come by /enhance too, which restores faces unless it is told not to', async () => {
    const faces = async (fields: Record<string, string>): Promise<unknown> => {
      const { job_id: id } = (await submit(fields, ['a', 'b'], '/enhance')).body as Accepted;
      const { method, work } = await service.queue.get(id);
      await service.queue.cancel(id);
      expect(method).toBe('enhance');
      return 'options' in work && 'is_face_enhance' in work.options && work.options.is_face_enhance;
    };
    expect(await faces({})).toBe(true);
    expect(await faces({ face_enhance: 'false' })).toBe(false);
  });

  it('tell of each image of a batch, and one that fails does not fail the others', async () => {
    const started = jobs.next();
    const { job_id: id } = (await submit({ method: 'upscale' }, ['a', 'b', 'c'])).body as Accepted;
    await started;
    const failure = { index: 0, code: 'ERR_BAD_IMAGE', message: 'this is no image' };
    const hooks = jobs.hooks(id);
    hooks.onImageFailed(failure);
    hooks.onProgress({ stage: 'upscaling', progress: 0.5, stageProgress: 0, image: 2, images: 3 });
    const states = async (): Promise<unknown[]> => {
      const response = await request(service.url).get(`/jobs/${id}`);
      return (response.body as { image_states: { status: string; code: string }[] }).image_states.map(
        ({ status, code }) => [status, code],
      );
    };
    expect(await states()).toEqual([
      ['failed', 'ERR_BAD_IMAGE'],
      ['processing', null],
      ['queued', null],
    ]);
    await complete(id);
    expect(await states()).toEqual([
      ['failed', 'ERR_BAD_IMAGE'],
      ['completed', null],
      ['completed', null],
    ]);
  });

  describe('followed by server-sent events', () => {
    const follow = async (id: string, ...headers: string[]) => {
      const connection = await rawConnection(service.port);
      connection.write(
        [`GET /jobs/${id}/events HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n'),
      );
      return connection;
    };

    it('tell their latest state, their progress and their end, and then close', async () => {
      const started = jobs.next();
      const { job_id: id } = (await submit({ method: 'upscale' })).body as Accepted;
      await started;
      const connection = await follow(id);
      expect(await connection.until(/\nevent: progress\ndata: .*\n\n/)).toMatch(
        /^HTTP\/1.1 200 [^]*text\/event-stream/,
      );
      jobs.hooks(id).onProgress({ stage: 'upscaling', progress: 0.5, stageProgress: 0, image: 1, images: 1 });
      await connection.until(/"progress":0.5/);
      jobs.complete(id);
      const all = await connection.closed();
      const last = /id: (\d+)\nevent: completed\ndata: (.*)\n\n/.exec(all);
      expect(JSON.parse(last?.[2] ?? '')).toEqual((await request(service.url).get(`/jobs/${id}`)).body);
      const ids = [...all.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number));
      expect(ids).toEqual(ids.map((_, index) => index + 1));
      expect(all.match(/^event: (completed|failed|cancelled)$/gm)?.length).toBe(1);
    });

    it('go on where a connection was lost, also when they have ended', async () => {
      const started = jobs.next();
      const { job_id: id } = (await submit({ method: 'upscale' })).body as Accepted;
      await started;
      await complete(id);
      const connection = await follow(id, 'Last-Event-ID: 7');
      expect(await connection.closed()).toMatch(/\nid: 8\nevent: completed\n/);
      expect((await request(service.url).get('/jobs/nope/events')).status).toBe(404);
    });

    it('listen no longer than their caller does', async () => {
      const { job_id: id } = (await submit({ method: 'upscale' })).body as Accepted;
      const before = service.queue.events.listenerCount('progress');
      const connection = await follow(id);
      await connection.until(/event: progress/);
      expect(service.queue.events.listenerCount('progress')).toBe(before + 1);
      connection.destroy();
      while (service.queue.events.listenerCount('progress') > before) await new Promise(setImmediate);
    });
  });
});
