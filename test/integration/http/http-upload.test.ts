import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';
import { postHead, rawConnection } from '../../support/servers/raw-http.ts';

const LIMIT = 100_000;
const BOUNDARY = 'Content-Type: multipart/form-data; boundary=XX';
const partHead = (name: string, filename = 'a.png'): string =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: image/png\r\n\r\n`;

/** Has every thread that talks to the disk wait for a pipe that nobody writes to. */
async function heldDisk(folder: string): Promise<{ release(): Promise<void> }> {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const readers = Array.from({ length: Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) }, () => open(pipe));
  await sleep(50);
  return {
    release: async () => {
      const writer = openSync(pipe, 'r+');
      for (const reader of await Promise.all(readers)) await reader.close();
      closeSync(writer);
    },
  };
}

/** Without a thread of the pool. */
function inputsNow(folder: string): string[] {
  return readdirSync(join(folder, 'in'));
}

describe('an upload', () => {
  let service: HttpService;

  beforeEach(async () => {
    service = await openHttpService(echo, { maxFileSizeBytes: LIMIT });
  });

  afterEach(async () => {
    await service.close();
  });

  const inputs = async (): Promise<string[]> =>
    (await service.folder.jobFiles()).filter((file) => file.startsWith('in/'));
  const noInputs = async (): Promise<void> => {
    for (let tries = 0; tries < 100 && (await inputs()).length > 0; tries++) await sleep(10);
    expect(await inputs()).toEqual([]);
  };

  it('comes as a form, with its options as fields', async () => {
    const bytes = Buffer.from([1, 2, 3]);
    const response = await request(service.url)
      .post('/upscale')
      .field('upscaler', 'NEAREST')
      .attach('file', bytes, 'photo.png')
      .buffer(true);
    expect(response.status).toBe(200);
    expect(response.body).toEqual(bytes);
  });

  it.each([
    ['a file without a name', '; filename="a.png"'],
    ['a file whose name is empty', '; name=""; filename="a.png"'],
    ['a field without a name', ''],
    ['a field whose name is empty', '; name=""'],
  ])('is refused for %s', async (_what, disposition) => {
    const part = `--XX\r\nContent-Disposition: form-data${disposition}\r\n\r\nx\r\n`;
    for (const path of ['/upscale', '/enhance', '/jobs', '/restore', '/faces']) {
      const response = await request(service.url)
        .post(path)
        .set('Content-Type', 'multipart/form-data; boundary=XX')
        .send(`${disposition.includes('filename') ? '' : `${partHead('file')}x\r\n`}${part}--XX--\r\n`);
      expect([response.status, (response.body as { code: string }).code]).toEqual([400, 'ERR_BAD_BODY']);
      expect(response.text).toContain('has no name');
    }
    await noInputs();
  });

  it('comes as a bare image, with its options in the query', async () => {
    const bytes = Buffer.from([4, 5, 6]);
    const response = await request(service.url)
      .post('/upscale?upscaler=NEAREST&colour=blue')
      .set('Content-Type', 'image/png')
      .send(bytes)
      .buffer(true);
    expect(response.status).toBe(200);
    expect(response.body).toEqual(bytes);
    expect(response.headers['x-warnings']).toBe('unknown field "colour" was ignored');
  });

  it('may be as large as the limit, and no larger', async () => {
    const fits = await request(service.url).post('/upscale').attach('file', Buffer.alloc(LIMIT), 'a.png');
    const exceeds = await request(service.url)
      .post('/upscale')
      .attach('file', Buffer.alloc(LIMIT + 1), 'a.png');
    expect([fits.status, exceeds.status]).toEqual([200, 413]);
    expect(exceeds.body).toMatchObject({ code: 'ERR_FILE_TOO_LARGE', status: 413 });
    const raw = (size: number) =>
      request(service.url).post('/upscale').set('Content-Type', 'image/png').send(Buffer.alloc(size));
    expect([(await raw(LIMIT)).status, (await raw(LIMIT + 1)).status]).toEqual([200, 413]);
    await noInputs();
  });

  it.each([
    [
      'no part with the image',
      `--XX\r\nContent-Disposition: form-data; name="scale"\r\n\r\n2\r\n--XX--\r\n`,
      'file: expected a part',
    ],
    ['the image under another name', `${partHead('picture')}x\r\n--XX--\r\n`, 'picture: is a file, but'],
    ['two images', `${partHead('file')}x\r\n${partHead('file')}y\r\n--XX--\r\n`, 'file: expected one file'],
    [
      'a field twice',
      `--XX\r\nContent-Disposition: form-data; name="scale"\r\n\r\n2\r\n--XX\r\nContent-Disposition: form-data; name="scale"\r\n\r\n3\r\n${partHead('file')}x\r\n--XX--\r\n`,
      'scale: expected once',
    ],
    [
      'a bad option',
      `--XX\r\nContent-Disposition: form-data; name="scale"\r\n\r\n-1\r\n${partHead('file')}x\r\n--XX--\r\n`,
      'scale: must be a number above 0, got \\"-1\\"',
    ],
    [
      'a field without a name',
      `--XX\r\nContent-Disposition: form-data; name=""\r\n\r\n2\r\n${partHead('file')}x\r\n--XX--\r\n`,
      'A part of the form has no name',
    ],
    ['an image without a name', `${partHead('')}x\r\n--XX--\r\n`, 'A part of the form has no name'],
    ['an end in the middle', `${partHead('file')}half of it`, 'Unexpected end of multipart data'],
    ['no form at all', 'hello', 'Unexpected end of multipart data'],
    [
      'an image after the end of the form only',
      `--XX--\r\n${partHead('file')}${partHead('file')}\0\0`,
      'file: expected a part',
    ],
    [
      'a field whose name is too long',
      `--XX\r\nContent-Disposition: form-data; name="${'n'.repeat(201)}"\r\n\r\n9\r\n--XX--\r\n`,
      'too long',
    ],
    [
      'a field that is too long',
      `--XX\r\nContent-Disposition: form-data; name="scale"\r\n\r\n${'9'.repeat(20_000)}\r\n--XX--\r\n`,
      'too long',
    ],
  ])('is refused with 400 for %s, and leaves no file', async (_case, body, expected) => {
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', BOUNDARY, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'));
    connection.write(body);
    const answer = await connection.closed();
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toContain(expected);
    await noInputs();
  });

  it('takes no notice of what follows the end of the form, even where the body ends later', async () => {
    const body = `${partHead('file')}picture\r\n--XX--\r\nepilogue`;
    const connection = await rawConnection(service.port);
    const length = `Content-Length: ${Buffer.byteLength(body) + 10}`;
    connection.write(postHead('/upscale', BOUNDARY, length, 'Connection: close'));
    connection.write(body);
    await sleep(50);
    connection.write('x'.repeat(10));
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*picture$/);
  });

  it('waits for a slow disk', async () => {
    const body = `${partHead('file')}picture\r\n--XX--\r\n`;
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', BOUNDARY, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'));
    connection.write(body.slice(0, 10));
    await sleep(300); // by now it waits for the rest
    const disk = await heldDisk(service.folder.path);
    connection.write(body.slice(10));
    await sleep(500);
    expect(inputsNow(service.folder.path)).toEqual([]);
    await disk.release();
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*picture$/);
  });

  it.each([
    ['text/plain', 'text/plain'],
    ['nothing', undefined],
    ['application/json', 'application/json'],
  ])('of type %s is refused with 415', async (_case, type) => {
    const post = request(service.url).post('/upscale');
    const response = await (type === undefined ? post : post.set('Content-Type', type).send('{}'));
    expect(response.status).toBe(415);
    expect(response.body).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' });
  });

  it('of a form without a boundary is refused with 400', async () => {
    const response = await request(service.url).post('/upscale').set('Content-Type', 'multipart/form-data').send('x');
    expect([response.status, (response.body as { code: string }).code]).toEqual([400, 'ERR_BAD_BODY']);
  });

  it('that is declared too large is refused before it is sent', async () => {
    const connection = await rawConnection(service.port);
    const length = `Content-Length: ${LIMIT * 20}`;
    connection.write(postHead('/upscale', 'Content-Type: image/png', length, 'Expect: 100-continue'));
    const answer = await connection.until(/\}$/);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    connection.destroy();
  });

  it('waits for 100 Continue, and gets it when it is wanted', async () => {
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', 'Content-Type: image/png', 'Content-Length: 3', 'Expect: 100-continue'));
    await connection.until(/^HTTP\/1.1 100 Continue\r\n\r\n/);
    connection.write('abc');
    expect(await connection.until(/abc$/)).toContain('HTTP/1.1 200 OK');
    connection.destroy();
  });

  it('that turns out too large is answered, though it never ends, and then cut off', async () => {
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', 'Content-Type: image/png', 'Transfer-Encoding: chunked'));
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const flood = setInterval(() => connection.write(chunk), 5);
    try {
      expect(await connection.until(/\}$/)).toMatch(/^HTTP\/1.1 413 /);
      await connection.closed();
    } finally {
      clearInterval(flood);
    }
    await noInputs();
  });

  it.each([
    ['form', BOUNDARY, partHead('file')],
    ['bare image', 'Content-Type: image/png', ''],
  ])('as a %s that breaks off leaves no file and no open handler', async (_case, type, start) => {
    const submitted = countJobs(service);
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', type, 'Content-Length: 90000'));
    connection.write(start + 'x'.repeat(20_000));
    for (let tries = 0; tries < 200 && (await inputs()).length === 0; tries++) await sleep(5);
    expect((await inputs()).length).toBe(1);
    connection.destroy();
    await noInputs();
    for (let tries = 0; tries < 100 && (await service.connections()) > 0; tries++) await sleep(10);
    expect(await service.connections()).toBe(0);
    expect(submitted()).toBe(0);
  });

  it('of any malformed bytes is answered, and leaves no file', async () => {
    const pieces = [
      partHead('file'),
      '--XX\r\n',
      '--XX--\r\n',
      'Content-Disposition: form-data; name=',
      '\r\n',
      '\0\0',
      'x'.repeat(9000),
    ];
    let seed = 7;
    const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round++) {
      const body = Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]).join('');
      const connection = await rawConnection(service.port);
      connection.write(
        postHead('/upscale', BOUNDARY, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'),
      );
      connection.write(body);
      const status = /^HTTP\/1.1 (\d+)/.exec(await connection.closed())?.[1];
      expect(['200', '400']).toContain(status);
    }
    await noInputs();
  });

  it('is refused with 503 while the service stops, before its body is read', async () => {
    await service.queue.close();
    const connection = await rawConnection(service.port);
    connection.write(postHead('/upscale', 'Content-Type: image/png', 'Content-Length: 9', 'Expect: 100-continue'));
    const answer = await connection.until(/\}$/);
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toMatch(/\r\nRetry-After: 5\r\n/);
    connection.socket.end();
    await once(connection.socket, 'close');
  });
});

/** Counts the jobs that are made from now on. */
function countJobs(service: HttpService): () => number {
  let count = 0;
  service.queue.events.on('progress', () => count++);
  return () => count;
}
