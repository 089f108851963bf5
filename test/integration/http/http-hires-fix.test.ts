import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';
import { postHead, rawConnection } from '../../support/servers/raw-http.ts';

const LIMIT = 300_000;

interface Answer {
  readonly images: string[];
  readonly info: Record<string, unknown> & { readonly warnings: string[]; readonly images: unknown[] };
}

describe('POST /hires-fix', () => {
  let service: HttpService;

  beforeEach(async () => {
    service = await openHttpService(echo, { maxFileSizeBytes: LIMIT });
  });

  afterEach(async () => {
    await service.close();
  });

  const post = (body: unknown) =>
    request(service.url)
      .post('/hires-fix')
      .send(body as object);
  const text = (bytes: Buffer): string => bytes.toString('base64');

  it('answers with images and with what was done', async () => {
    const images = [1, 2, 3, 200_000].map((size) => Buffer.alloc(size, size));
    const response = await post({
      images: images.map((image, index) => (index % 2 ? text(image) : `data:image/png;base64,${text(image)}`)),
      config: { upscaler: 'NEAREST', upscale_factor: 2.5 },
    });
    const answer = response.body as Answer;
    expect(response.status).toBe(200);
    expect(answer.images).toEqual(images.map(text));
    expect(answer.info).toMatchObject({ job_id: response.headers['x-job-id'], upscaler: 'NEAREST', warnings: [] });
    expect(answer.info.images.length).toBe(4);
  });

  it('hands on the options under the names that they have everywhere else', async () => {
    const response = await post({
      images: [text(Buffer.from('x'))],
      config: { target_width: 640, target_height: 480, tile: 0, tile_pad: 'auto', denoise_strength: 0.5 },
    });
    const job = await service.queue.get(String(response.headers['x-job-id']));
    expect(job.work).toMatchObject({
      options: { width: 640, height: 480, tile: 0, tile_pad: 'auto', denoise_strength: 0.5 },
    });
    expect(job.method).toBe('hires-fix');
  });

  it('names what it does not know', async () => {
    const response = await post({ images: [text(Buffer.from('x'))], config: { steps: 20 }, sampler: 'Euler' });
    expect((response.body as Answer).info.warnings).toEqual([
      'unknown field "sampler" was ignored',
      'unknown field "steps" was ignored',
    ]);
  });

  it.each([
    ['no images', {}, 'images: must be a list of images, as base64 or data URLs'],
    ['an empty list', { images: [] }, 'images: must have at least one image, got a list of 0'],
    ['an image that is no text', { images: [7] }, 'images[0]: must be text: base64 or a data URL, got 7'],
    ['an image that is no base64', { images: ['AAAA', 'hello!'] }, 'images[1]: must be an image as base64'],
    ['a URL', { images: ['http://127.0.0.1/x.png'] }, 'images[0]: must be an image as base64'],
    ['a list as config', { images: ['AAAA'], config: [] }, 'config: must be an object'],
    [
      'a bad option',
      { images: ['AAAA'], config: { upscale_factor: 0 } },
      'upscale_factor: must be a number above 0, got 0',
    ],
    [
      'a bad width',
      { images: ['AAAA'], config: { target_width: 'wide' } },
      'target_width: must be a whole number of at least 1, got "wide"',
    ],
    ['a list', ['AAAA'], 'images: must be a list of images'],
  ])('refuses %s with 400', async (_case, body, detail) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ code: 'ERR_BAD_PARAMETER', detail: expect.stringContaining(detail) });
    expect(await service.folder.jobFiles()).toEqual([]);
  });

  it.each(['{"images": [', '', 'null', '"text"'])('refuses a body of %j with 400', async (body) => {
    const response = await request(service.url).post('/hires-fix').set('Content-Type', 'application/json').send(body);
    expect([response.status, (response.body as { code: string }).code]).toEqual([400, 'ERR_BAD_BODY']);
  });

  it('takes a body that begins with the mark of UTF-8, as some editors and shells write it', async () => {
    const body = `\uFEFF${JSON.stringify({ images: [text(Buffer.from('x'))] })}`;
    const response = await request(service.url).post('/hires-fix').set('Content-Type', 'application/json').send(body);
    expect(response.status).toBe(200);
  });

  it('refuses another content type, and a compressed body, with 415', async () => {
    const form = await request(service.url).post('/hires-fix').type('form').send('images=AAAA');
    const packed = await request(service.url)
      .post('/hires-fix')
      .set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      .send('{}');
    expect([form.status, packed.status]).toEqual([415, 415]);
  });

  it('refuses an image that is larger than files may be, and takes one that is not', async () => {
    const fits = await post({ images: [text(Buffer.alloc(LIMIT))] });
    const exceeds = await post({ images: [text(Buffer.alloc(LIMIT + 1))] });
    expect([fits.status, exceeds.status]).toEqual([200, 413]);
    expect((exceeds.body as { detail: string }).detail).toContain('An image is larger than 0.29 MB');
  });

  it('refuses a body that no images within the limit can fill, before it is sent', async () => {
    const connection = await rawConnection(service.port);
    connection.write(
      postHead('/hires-fix', 'Content-Type: application/json', 'Content-Length: 99999999', 'Expect: 100-continue'),
    );
    expect(await connection.until(/\}$/)).toMatch(/^HTTP\/1.1 413 /);
    connection.destroy();
  });

  it('answers later where that is preferred, and the same key with the same job', async () => {
    const headers = { Prefer: 'respond-async', 'Idempotency-Key': 'k' };
    const first = await post({ images: ['AAAA'] }).set(headers);
    const again = await post({ images: ['AAAA'] }).set(headers);
    const other = await post({ images: ['AAAB'] }).set(headers);
    expect([first.status, again.status, other.status]).toEqual([202, 202, 409]);
    expect((again.body as { job_id: string }).job_id).toBe((first.body as { job_id: string }).job_id);
  });
});
