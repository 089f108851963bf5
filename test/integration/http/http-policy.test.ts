import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { eventually } from '../../support/eventually.ts';
import { gradient } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';
import { rawConnection } from '../../support/servers/raw-http.ts';

const GOOD = 'https://good.example';
const EVIL = 'https://evil.example';

describe('the HTTP server', () => {
  let service: HttpService;

  beforeEach(async () => {
    service = await openHttpService(echo, { allowedOrigins: [GOOD] });
  });

  afterEach(async () => {
    await service.close();
  });

  const post = () => request(service.url).post('/upscale').set('Content-Type', 'image/png').send('x');

  it('says what browsers may do with its answers, and not what it is made of', async () => {
    const { headers } = await request(service.url).get('/health/live');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lives, and is ready while it takes jobs', async () => {
    expect((await request(service.url).get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await request(service.url).get('/health/ready')).body).toEqual({ status: 'ready' });
    await service.queue.close();
    const draining = await request(service.url).get('/health/ready');
    expect([draining.status, draining.headers['retry-after']]).toEqual([503, '5']);
    expect(draining.body).toMatchObject({ code: 'ERR_NOT_READY' });
    expect((await request(service.url).get('/health/live')).status).toBe(200);
  });

  it('lets pages of allowed origins read its answers', async () => {
    const preflight = await request(service.url).options('/upscale').set({
      Origin: GOOD,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'idempotency-key',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': GOOD,
      'access-control-allow-headers': 'idempotency-key',
      vary: 'Origin',
    });
    const { status, headers } = await post().set('Origin', GOOD);
    expect([status, headers['access-control-allow-origin']]).toEqual([200, GOOD]);
    expect(headers['access-control-expose-headers']).toContain('X-Job-Id');
  });

  it('lets them read every header that tells of an answer', async () => {
    const picture = writePng(gradient({ width: 8, height: 8, channels: 3, depth: 8 }));
    const box = { target_width: 8, target_height: 8 };
    const { headers: made } = await post();
    const answers = [
      await request(service.url)
        .get(`/jobs/${String(made['x-job-id'])}/results/0`)
        .set({ Range: 'bytes=0-0', Origin: GOOD }),
      await request(service.url)
        .post('/v1/upscale')
        .query(box)
        .set({ 'Content-Type': 'image/png', Origin: GOOD })
        .send(picture),
      await request(service.url).get('/sdapi/v1/progress').set('Origin', GOOD),
    ];
    expect(answers.map(({ status }) => status)).toEqual([206, 200, 200]);
    const tellsOfIt = /^(x-(?!content-type-options$)|content-(?!type$|length$|security)|accept-|etag$|server-timing$)/;
    for (const { headers } of answers) {
      const exposed = String(headers['access-control-expose-headers']).toLowerCase().split(', ');
      expect(Object.keys(headers).filter((name) => tellsOfIt.test(name) && !exposed.includes(name))).toEqual([]);
    }
  });

  it('keeps pages of other origins from using it', async () => {
    const refused = await post().set('Origin', EVIL);
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'ERR_ORIGIN_NOT_ALLOWED' });
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    const read = await request(service.url).get('/health/live').set('Origin', EVIL);
    expect(read.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await post().set('Origin', service.url)).status).toBe(200);
  });

  it.each([
    'GARBAGE\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /upscale HTTP/1.1\r\nContent-Length: -5\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
  ])('survives %j', async (bytes) => {
    const connection = await rawConnection(service.port);
    connection.write(bytes);
    const answer = await connection.closed();
    expect(answer).toMatch(/^HTTP\/1.1 400 [^]*Content-Type: application\/problem\+json\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      code: 'ERR_BAD_REQUEST',
      status: 400,
      detail: 'This is not a request by HTTP/1.1',
    });
    expect((await request(service.url).get('/health/live')).status).toBe(200);
  });

  it('says what is wrong with a path that cannot be read', async () => {
    const answer = await request(service.url).get('/jobs/%ff');
    const detail: unknown = expect.stringMatching(/^The path cannot be read: each %/);
    expect(answer.body).toMatchObject({ status: 400, detail, instance: '/jobs/%ff' });
  });

  it('refuses headers beyond what anyone needs', async () => {
    const response = await request(service.url).get('/health/live').set('X-Long', 'x'.repeat(20_000));
    expect([response.status, response.type]).toEqual([431, 'application/problem+json']);
  });

  it('closes connections whose headers or whose body trickle, and leaves no file', async () => {
    const [headers, body] = [await rawConnection(service.port), await rawConnection(service.port)];
    headers.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n');
    body.write(
      'POST /upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n',
    );
    const trickle = setInterval(() => body.write('x'), 500);
    const [answer, refusal] = await Promise.all([headers.closed(), body.closed()]);
    clearInterval(trickle);
    expect(answer).toMatch(/^HTTP\/1.1 408 [^]*"code":"ERR_BAD_REQUEST"/);
    expect(refusal).toMatch(/^HTTP\/1.1 408 [^]*"code":"ERR_SLOW_BODY"/);
    expect(
      await eventually(
        () => service.folder.jobFiles(),
        (files) => files.length === 0,
      ),
    ).toEqual([]);
  });
});
