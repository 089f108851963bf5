import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { pixelBomb, tinyPng } from '../../support/images/hostile-images.ts';
import { gradient } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';

const PICTURE = writePng(gradient({ width: 400, height: 300, channels: 3, depth: 8 }));

describe('work that is beyond the limits', () => {
  let service: HttpService;
  let begun = 0;

  beforeAll(async () => {
    service = await openHttpService(
      (files) => (job, hooks) => {
        begun++;
        return echo(files)(job, hooks);
      },
      { maxFileSizeBytes: 2 ** 20 },
    );
  });
  beforeEach(() => {
    begun = 0;
  });
  afterAll(() => service.close());

  const uploads = (): Promise<string[]> => readdir(join(service.folder.path, 'in'));
  const expectNothingBegun = async (): Promise<void> => {
    expect(begun).toBe(0);
    expect((await service.queue.list({ limit: 5, caller: 'anonymous' })).jobs).toEqual([]);
    expect(await uploads()).toEqual([]);
  };

  it.each([
    ['/upscale?upscaler=REALESRGAN_X4PLUS&pre_pad=200000', 'ERR_WORK_TOO_LARGE', 400],
    ['/upscale?upscaler=REALESRGAN_X4PLUS&tile=1&tile_pad=300', 'ERR_WORK_TOO_LARGE', 400],
    ['/upscale?upscaler=COMPACT_X2&tile=1&tile_pad=300&pre_pad=20000', 'ERR_WORK_TOO_LARGE', 400],
    ['/upscale?upscaler=LANCZOS&width=100000&height=100000', 'ERR_OUTPUT_TOO_LARGE', 413],
    ['/upscale?scale=400', 'ERR_OUTPUT_TOO_LARGE', 413],
    ['/enhance?scale=400', 'ERR_OUTPUT_TOO_LARGE', 413],
    ['/jobs?method=upscale&upscaler=COMPACT_X2&pre_pad=100000', 'ERR_WORK_TOO_LARGE', 400],
    ['/face?face_upscale=400', 'ERR_OUTPUT_TOO_LARGE', 413],
    ['/face?aligned=true&size=100000', 'ERR_OUTPUT_TOO_LARGE', 413],
    ['/upscale?upscaler=NEAREST&width=65501&height=2&output_format=jpeg', 'ERR_OUTPUT_FORMAT', 400],
    ['/upscale?upscaler=COMPACT_X2&scale=41&output_format=webp', 'ERR_OUTPUT_FORMAT', 400],
    ['/face?aligned=true&size=16385&output_format=avif', 'ERR_OUTPUT_FORMAT', 400],
  ])('is refused by %s with %s before there is a job', async (path, code, status) => {
    const response = await request(service.url)
      .post(path)
      .attach('file', PICTURE, 'picture.png')
      .set('Prefer', 'respond-async')
      .expect(status);
    expect(response.body).toMatchObject({ code, status });
    await expectNothingBegun();
  });

  it('is refused from the header of a picture of many bytes', async () => {
    const image = Buffer.concat([pixelBomb(), Buffer.alloc(900_000)]);
    await request(service.url).post('/upscale?scale=2').set('Content-Type', 'image/png').send(image).expect(413);
    await expectNothingBegun();
  });

  it.each(['/upscale?scale=2', '/restore', '/colorize', '/faces', '/face'])(
    'is refused by %s for the size of the picture alone',
    async (path) => {
      const response = await request(service.url).post(path).attach('file', pixelBomb(), 'bomb.png').expect(413);
      expect(response.body).toMatchObject({
        code: 'ERR_IMAGE_TOO_LARGE',
        detail: expect.stringMatching(/^bomb.png: 40000x40000/),
      });
      await expectNothingBegun();
    },
  );

  it('is refused by /hires-fix for one of its images', async () => {
    const images = [tinyPng(), PICTURE].map((bytes) => bytes.toString('base64'));
    const config = { upscaler: 'REALESRGAN_X4PLUS', pre_pad: 60_000 };
    await request(service.url)
      .post('/hires-fix')
      .send({ images, config })
      .expect(400, /images\[0\]: .*ERR_WORK_TOO_LARGE/);
    await expectNothingBegun();
  });

  it.each([
    ['the picture', '/jobs?method=upscale&upscaler=LANCZOS&scale=4', pixelBomb(), /^413 large\.png: 40000x40000/],
    ['its result', '/enhance?upscaler=LANCZOS&scale=400', PICTURE, /^413 large\.png: the result would have/],
    ['its tiles', '/jobs?method=upscale&upscaler=COMPACT_X2&tile=1&tile_pad=300', PICTURE, /^400 large\.png: .*tile/],
  ])(
    'is refused by the name of one of several images for %s, before any is begun',
    async (_what, path, image, expected) => {
      const form = request(service.url).post(path).attach('files', tinyPng(), 'tiny.png');
      const response = await form.attach('files', image, 'large.png');
      expect(`${response.status} ${(response.body as { detail: string }).detail}`).toMatch(expected);
      await expectNothingBegun();
    },
  );

  it('is not refused for a size that the format holds, or that auto finds a format for', async () => {
    const fits = ['width=65500&height=2&output_format=jpeg', 'width=65501&height=2', 'width=9&height=9&fit=cover'];
    for (const query of fits) {
      await request(service.url)
        .post(`/jobs?method=upscale&upscaler=NEAREST&${query}`)
        .attach('file', PICTURE, 'picture.png')
        .expect(202);
    }
  });
});
