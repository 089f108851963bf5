import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DownloadLimits } from '../../../app/catalog/download/download-limits.ts';
import { DOWNLOAD_LIMITS } from '../../../app/catalog/download/download-limits.ts';
import type { DownloadFailure } from '../../../app/catalog/errors.ts';
import { DownloadError } from '../../../app/catalog/errors.ts';
import type { DownloadedModel } from '../../../app/catalog/download/model-downloader.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import type { Faults } from '../../support/servers/fault-server.ts';
import { contentOf, FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';

const SIZE = 2_000_003;
const CONTENT = madeUpModel(SIZE);
const SHA256 = sha256OfContent(CONTENT);

const LIMITS: Partial<DownloadLimits> = {
  stall: { windowMs: 300, bytesPerSecond: 10_240 },
  retry: { attempts: 6, shortestMs: 5, longestMs: 40, longestRetryAfterMs: 3_000 },
  responseMs: 500,
  smallestSegment: 100_000,
  largestSegment: 250_000,
};

let server: FaultServer;
let directory: string;

beforeAll(async () => {
  server = await FaultServer.start();
});
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  server.forget();
  directory = await mkdtemp(join(tmpdir(), 'hiresfix-download-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function model(url: string, overrides: Partial<RemoteModel> = {}): RemoteModel {
  return {
    name: 'test-model',
    filename: 'Test_model.pth',
    url,
    mirrors: [],
    scale: 4,
    size: SIZE,
    sha256: SHA256,
    licence: 'none',
    purpose: 'tests',
    source: 'tests',
    ...overrides,
  };
}

async function download(wanted: RemoteModel, limits: Partial<DownloadLimits> = {}): Promise<DownloadedModel> {
  return new ModelDownloader({ directory, limits: { ...LIMITS, ...limits } }).download(wanted);
}

async function failure(wanted: RemoteModel, limits: Partial<DownloadLimits> = {}): Promise<DownloadError> {
  const error: unknown = await download(wanted, limits).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DownloadError);
  return error as DownloadError;
}

async function expectRightBytes(): Promise<void> {
  expect(await sha256OfFile(join(directory, 'Test_model.pth'))).toBe(SHA256);
  expect((await readdir(directory)).sort()).toEqual(['Test_model.pth', 'models.lock.json']);
}

/** Neither the model nor anything that a scan of the folder would take for one. */
async function expectNothingUsable(): Promise<void> {
  const names = await readdir(directory);
  expect(names.filter((name) => !/\.part(\.json)?$/.test(name))).toEqual([]);
}

describe('a server that does everything right', () => {
  it('is asked for a range first, then for parallel ranges of the same version, unencoded', async () => {
    const result = await download(model(server.serve('/model.pth', CONTENT)));
    await expectRightBytes();
    expect(result).toMatchObject({ isFetched: true, record: { sha256: SHA256, size: SIZE, sha256_from: 'published' } });
    const [probe, ...segments] = server.requests;
    expect(probe?.range).toBe('bytes=0-15');
    expect(segments.length).toBeGreaterThan(7);
    expect(
      segments.every(({ range, ifRange, status }) => range !== undefined && ifRange === '"v1"' && status === 206),
    ).toBe(true);
    expect(server.requests.every(({ acceptEncoding }) => acceptEncoding === 'identity')).toBe(true);
    expect(server.sent).toBe(SIZE + 16);
  });

  it('leaves a file that cannot be changed by accident, with its hash pinned in models.lock.json', async () => {
    await download(model(server.serve('/model.pth', CONTENT)));
    expect((await stat(join(directory, 'Test_model.pth'))).mode & 0o777).toBe(0o444);
    const lock: unknown = JSON.parse(await readFile(join(directory, 'models.lock.json'), 'utf8'));
    expect(lock).toMatchObject({
      version: 1,
      models: { 'Test_model.pth': { name: 'test-model', sha256: SHA256, size: SIZE } },
    });
  });

  it('is not asked again for a model that is in place', async () => {
    const wanted = model(server.serve('/model.pth', CONTENT));
    await download(wanted);
    server.forget();
    expect((await download(wanted)).isFetched).toBe(false);
    expect(server.requests).toEqual([]);
  });
});

/** What a server may do wrong and still be good for the file. */
const SURVIVED: readonly (readonly [string, Faults])[] = [
  ['ignores ranges', { ignoresRange: true }],
  ['ignores ranges and does not say how long the file is', { ignoresRange: true, isChunked: true }],
  ['serves ranges without saying their length', { isChunked: true }],
  [
    'answers with another range than it was asked for',
    { contentRange: (start, end, total) => `bytes ${start + 1}-${end}/${total}` },
  ],
  [
    'answers later ranges with those of a file of another size',
    { contentRange: (start, end, total) => `bytes ${start}-${end - 1}/${start === 0 ? total : total + 1}` },
  ],
  ['answers ranges without Content-Range', { contentRange: () => '' }],
  ['breaks off after 150,000 bytes of every body', { cutAfter: 150_000 }],
  ['breaks off after 70,000 bytes of every body', { cutAfter: 70_000 }],
  ['stalls after 90,000 bytes of every body', { stallAfter: 90_000 }],
  ['sends bodies that are shorter than they say', { shortBy: 10 }],
  ['sends more than it was asked for', { extra: 100 }],
  ['answers 500 a few times', { failFirst: { requests: 3, status: 500 } }],
  ['answers 503 a few times', { failFirst: { requests: 4, status: 503 } }],
  ['gives no validator', { etag: null }],
  ['gives a weak validator', { etag: 'W/"v1"' }],
  ['gives only a date', { etag: null, headers: { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' } }],
  ['calls the file a text', { headers: { 'content-type': 'text/plain' } }],
  [
    'changes its mind about the version once, for good',
    { changesAfter: { requests: 5, content: CONTENT, etag: '"v2"' }, ignoresIfRange: true },
  ],
  ['gives a new version for If-Range', { changesAfter: { requests: 5, content: CONTENT, etag: '"v2"' } }],
];

describe('a server that is good for the file all the same', () => {
  it.each(SURVIVED)('%s', async (_name, faults) => {
    await download(model(server.serve('/model.pth', CONTENT, faults)));
    await expectRightBytes();
  });

  it('waits as long as Retry-After says, in seconds', async () => {
    const headers = { 'retry-after': '1' };
    const startedAt = performance.now();
    await download(model(server.serve('/model.pth', CONTENT, { failFirst: { requests: 1, status: 429, headers } })));
    await expectRightBytes();
    expect(performance.now() - startedAt).toBeGreaterThan(990);
  });

  it('waits as long as Retry-After says, as a date', async () => {
    const headers = { 'retry-after': new Date(Date.now() + 2_500).toUTCString() };
    const startedAt = performance.now();
    await download(model(server.serve('/model.pth', CONTENT, { failFirst: { requests: 1, status: 503, headers } })));
    await expectRightBytes();
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  });

  it('makes do with the connections that it is granted', async () => {
    let open = 0;
    server.serve('/inner.pth', CONTENT, { bytesPerSecond: 2_000_000 });
    const url = server.handle('/model.pth', async (request, response, log) => {
      open += 1;
      response.on('close', () => (open -= 1));
      if (open > 2) {
        log.status = 429;
        response.writeHead(429, { 'content-length': 0 }).end();
        return;
      }
      await server.answerAs('/inner.pth', request, response, log);
    });
    await download(model(url));
    await expectRightBytes();
    expect(server.requests.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  });

  it('asks the original address again when a signed one expires', async () => {
    let epoch = 0;
    for (const signed of [1, 2]) {
      server.serve(`/signed-${signed}`, CONTENT);
    }
    const url = server.handle('/model.pth', (_request, response, log) => {
      epoch += 1;
      log.status = 302;
      response.writeHead(302, { location: `/once-${epoch}`, 'content-length': 0 }).end();
    });
    for (const once of [1, 2]) {
      let requests = 0;
      server.handle(`/once-${once}`, async (request, response, log) => {
        requests += 1;
        if (once === 1 && requests > 4) {
          log.status = 403;
          response.writeHead(403, { 'content-length': 0 }).end();
        } else await server.answerAs(`/signed-${once}`, request, response, log);
      });
    }
    await download(model(url));
    await expectRightBytes();
    expect(epoch).toBe(2);
  });

  it('is followed over redirects', async () => {
    server.serve('/real.pth', CONTENT);
    server.redirect('/second', '/real.pth', 307);
    await download(model(server.redirect('/first', server.url('/second'))));
    await expectRightBytes();
  });

  it('is asked once more for everything when what an earlier run left has gone bad', async () => {
    const wanted = model(server.serve('/model.pth', CONTENT));
    await interrupt(wanted, 1_000_000);
    const part = join(directory, 'Test_model.pth.part');
    const bytes = await readFile(part);
    bytes.fill(0xee, 20_000, 20_100);
    await writeFile(part, bytes);
    await download(wanted);
    await expectRightBytes();
  });
});

/** Starts a download and aborts it when the server has sent so many bytes. */
async function interrupt(wanted: RemoteModel, bytes: number): Promise<void> {
  const stop = new AbortController();
  server.onSent((total) => {
    if (total >= bytes) stop.abort(new Error('stopped by the test'));
  });
  const downloading = new ModelDownloader({ directory, limits: LIMITS }).download(wanted, { signal: stop.signal });
  await expect(downloading).rejects.toThrow('stopped by the test');
  server.onSent(() => undefined);
}

describe('aborting', () => {
  it('ends at once with the reason, and the next run goes on from there', async () => {
    const wanted = model(server.serve('/model.pth', CONTENT, { bytesPerSecond: 2_000_000 }));
    await interrupt(wanted, 1_000_000);
    await expectNothingUsable();
    server.forget();
    await download(wanted);
    await expectRightBytes();
    expect(server.sent).toBeLessThan(SIZE * 0.75);
  });

  it('does not start with a signal that was aborted before', async () => {
    const wanted = model(server.serve('/model.pth', CONTENT));
    const downloading = new ModelDownloader({ directory }).download(wanted, {
      signal: AbortSignal.abort(new Error('too late')),
    });
    await expect(downloading).rejects.toThrow('too late');
    expect(server.requests).toEqual([]);
  });
});

const OTHER = madeUpModel(SIZE, 2);
const SHORT = madeUpModel(SIZE - 1000);
const PAGE = '<!doctype html><html><head><title>Sign in to the hotel network</title></head><body>Hello</body></html>';

/** What a server may do wrong so that nothing can be had from it. */
const REFUSED: readonly (readonly [string, () => string, DownloadFailure, RegExp])[] = [
  [
    'serves a web page with 200',
    () => server.say('/model.pth', 'text/html; charset=utf-8', PAGE),
    'not-a-model',
    /Sign in to the hotel/,
  ],
  [
    'serves an error message with 200',
    () => server.say('/model.pth', 'application/json', '{"error":"no"}'),
    'not-a-model',
    /web page|json/,
  ],
  [
    'serves an empty body with 200',
    () => server.say('/model.pth', 'application/octet-stream', ''),
    'wrong-size',
    /0 bytes/,
  ],
  [
    'serves a page as bytes',
    () => server.serve('/model.pth', contentOf(PAGE.padEnd(SIZE))),
    'not-a-model',
    /begin like/,
  ],
  [
    'serves a page as bytes and ignores ranges',
    () => server.serve('/model.pth', contentOf(PAGE.padEnd(SIZE)), { ignoresRange: true }),
    'not-a-model',
    /begin like/,
  ],
  [
    'encodes the file',
    () =>
      server.serve('/model.pth', contentOf(gzipSync(CONTENT.read(0, SIZE))), {
        ignoresRange: true,
        headers: { 'content-encoding': 'gzip' },
      }),
    'not-a-model',
    /gzip/,
  ],
  [
    'has a file that was cut off',
    () => server.serve('/model.pth', SHORT),
    'wrong-size',
    /1999003 bytes.*expected 2000003/,
  ],
  [
    'answers with ranges of a file of another size',
    () =>
      server.serve('/model.pth', CONTENT, {
        contentRange: (start, end, total) => `bytes ${start}-${end - 1}/${total + 1}`,
      }),
    'wrong-size',
    /2000004 bytes/,
  ],
  [
    'has a file that was cut off, and does not say how long it is',
    () => server.serve('/model.pth', SHORT, { ignoresRange: true, isChunked: true }),
    'network',
    /1000 bytes early/,
  ],
  [
    'sends more than the file, and does not say how long it is',
    () => server.serve('/model.pth', CONTENT, { ignoresRange: true, isChunked: true, extra: 10 }),
    'wrong-size',
    /more than/,
  ],
  [
    'has another file of that size',
    () => server.serve('/model.pth', OTHER),
    'wrong-hash',
    new RegExp(`not ${SHA256} \\(as published\\)`),
  ],
  [
    'has another file of that size, and ignores ranges',
    () => server.serve('/model.pth', OTHER, { ignoresRange: true }),
    'wrong-hash',
    /not/,
  ],
  ['does not know the file', () => server.url('/nothing-here.pth'), 'http-status', /404/],
  [
    'has given the file up',
    () => server.serve('/model.pth', CONTENT, { failFirst: { requests: 99, status: 410 } }),
    'http-status',
    /410/,
  ],
  [
    'forbids it',
    () => server.serve('/model.pth', CONTENT, { failFirst: { requests: 99, status: 403 } }),
    'http-status',
    /403/,
  ],
  [
    'is always broken',
    () => server.serve('/model.pth', CONTENT, { failFirst: { requests: 99, status: 502 } }),
    'http-status',
    /502.*6 attempts/,
  ],
  [
    'is always busy',
    () => server.serve('/model.pth', CONTENT, { failFirst: { requests: 99, status: 503 } }),
    'busy',
    /503.*6 attempts/,
  ],
  [
    'asks to come back in an hour',
    () =>
      server.serve('/model.pth', CONTENT, {
        failFirst: { requests: 99, status: 429, headers: { 'retry-after': '3600' } },
      }),
    'busy',
    /come back in 3600 s/,
  ],
  ['redirects in a circle', () => server.redirect('/loop', '/loop'), 'redirect', /circle/],
  [
    'redirects to what is not the web',
    () => server.redirect('/model.pth', 'file:///etc/passwd'),
    'redirect',
    /not followed/,
  ],
  [
    'breaks off after 100 bytes of every body',
    () => server.serve('/model.pth', CONTENT, { cutAfter: 100 }),
    'network',
    /6 attempts/,
  ],
  [
    'stalls at once, every time',
    () => server.serve('/model.pth', CONTENT, { stallAfter: 0 }),
    'stalled',
    /only 0 bytes arrived in 0.3 s/,
  ],
  [
    'drips',
    () => server.serve('/model.pth', CONTENT, { ignoresRange: true, bytesPerSecond: 40 }),
    'stalled',
    /bytes arrived/,
  ],
  [
    'breaks off in the middle and cannot go on from there',
    () => server.serve('/model.pth', CONTENT, { ignoresRange: true, cutAfter: 1_000_000 }),
    'network',
    /6 attempts/,
  ],
  [
    'changes the file again and again',
    () => {
      let version = 0;
      return server.handle('/model.pth', async (request, response, log) => {
        version += 1;
        server.serve('/inner.pth', CONTENT, { etag: `"v${Math.floor(version / 4)}"`, ignoresIfRange: true });
        await server.answerAs('/inner.pth', request, response, log);
      });
    },
    'source-changed',
    /changed/,
  ],
];

describe('a server that nothing can be had from', () => {
  it.each(REFUSED)('%s', async (_name, serve, reason, message) => {
    const error = await failure(model(serve()));
    expect(error.message).toMatch(message);
    expect(error.reason).toBe(reason);
    expect(error).toMatchObject({ code: 'ERR_DOWNLOAD_FAILED', model: 'test-model' });
    await expectNothingUsable();
  });

  it('is not there', async () => {
    const gone = await FaultServer.start();
    const url = gone.url('/model.pth');
    await gone.close();
    const error = await failure(model(url));
    expect(error.reason).toBe('network');
    expect(error.message).toMatch(/ECONNREFUSED/);
    await expectNothingUsable();
  });

  it('never answers', async () => {
    const error = await failure(model(server.handle('/model.pth', () => undefined)), { responseMs: 50 });
    expect(error.reason).toBe('network');
    await expectNothingUsable();
  });

  it('leaves nothing of a file whose hash was wrong', async () => {
    await failure(model(server.serve('/model.pth', OTHER)));
    expect(await readdir(directory)).toEqual([]);
  });

  it('may be caught in a single bit', async () => {
    const bytes = CONTENT.read(0, SIZE);
    bytes[1_500_000] = (bytes[1_500_000] ?? 0) ^ 1;
    expect((await failure(model(server.serve('/model.pth', contentOf(bytes))))).reason).toBe('wrong-hash');
    await expectNothingUsable();
  });

  it('may not lead from a public host into a private network', async () => {
    server.serve('/inside.pth', CONTENT);
    const url = server.redirect('/model.pth', server.url('/inside.pth', '127.0.0.2'));
    const inside = await FaultServer.start('127.0.0.2');
    const elsewhere = server.redirect('/model2.pth', inside.url('/inside.pth', '127.0.0.2'));
    const isPrivate = (address: string) => address === '127.0.0.2';
    expect((await failure(model(url), { isPrivate })).message).toMatch(/private network: 127\.0\.0\.2/);
    expect((await failure(model(elsewhere), { isPrivate })).reason).toBe('redirect');
    expect(inside.requests).toEqual([]);
    await inside.close();
  });
});

describe('mirrors', () => {
  it('are tried in turn', async () => {
    const wanted = model(server.url('/missing.pth'), {
      mirrors: [
        server.serve('/wrong.pth', OTHER),
        server.serve('/short.pth', SHORT),
        server.serve('/right.pth', CONTENT),
      ],
    });
    const { record } = await download(wanted);
    await expectRightBytes();
    expect(record?.url).toBe(server.url('/right.pth'));
  });

  it('go on where another one left off, as long as the hash is known', async () => {
    server.serve('/slow.pth', CONTENT, { stallAfter: 100 });
    let requests = 0;
    const broken = server.handle('/broken.pth', async (request, response, log) => {
      requests += 1;
      await server.answerAs(requests > 6 ? '/slow.pth' : '/right.pth', request, response, log);
    });
    const wanted = model(broken, { mirrors: [server.serve('/right.pth', CONTENT)] });
    await download(wanted);
    await expectRightBytes();
    const twice = server.sent - SIZE;
    expect(twice).toBeLessThan(100_000);
  });

  it('start anew where another one has mixed in wrong bytes', async () => {
    let requests = 0;
    server.serve('/other.pth', OTHER);
    server.serve('/dead.pth', OTHER, { failFirst: { requests: 999, status: 404 } });
    const lying = server.handle('/lying.pth', async (request, response, log) => {
      requests += 1;
      await server.answerAs(requests > 5 ? '/dead.pth' : '/other.pth', request, response, log);
    });
    await download(model(lying, { mirrors: [server.serve('/right.pth', CONTENT)] }));
    await expectRightBytes();
  });

  it('of the user come first, under the name of the file', async () => {
    server.serve('/mirror/Test_model.pth', CONTENT);
    const downloader = new ModelDownloader({ directory, limits: LIMITS, mirror: server.url('/mirror') });
    await downloader.download(model(server.serve('/model.pth', CONTENT)));
    await expectRightBytes();
    expect(server.requests.every(({ path }) => path === '/mirror/Test_model.pth')).toBe(true);
  });

  it('are all named when none has helped', async () => {
    const error = await failure(model(server.url('/one.pth'), { mirrors: [server.url('/two.pth')] }));
    expect(error.message).toMatch(/one\.pth answers 404; .*two\.pth answers 404/);
  });
});

describe('a model without a published hash', () => {
  const unpublished = (url: string) => model(url, { size: null, sha256: null });

  it('is pinned to the one of the first download', async () => {
    const url = server.serve('/model.pth', CONTENT);
    expect((await download(unpublished(url))).record).toMatchObject({ sha256: SHA256, sha256_from: 'first-download' });
    await rm(join(directory, 'Test_model.pth'), { force: true });
    server.serve('/model.pth', OTHER);
    const error = await failure(unpublished(url));
    expect(error.reason).toBe('wrong-hash');
    expect(error.message).toMatch(/learnt on the first download, kept in models\.lock\.json/);
  });

  it('is fetched in ranges only where the server vouches for the version', async () => {
    await download(unpublished(server.serve('/model.pth', CONTENT, { etag: null })));
    await expectRightBytes();
    expect(server.requests.filter(({ range }) => range !== undefined)).toHaveLength(1);
  });

  it('starts anew when the version changes between two runs', async () => {
    const url = server.serve('/model.pth', OTHER);
    await interrupt(unpublished(url), 1_000_000);
    server.serve('/model.pth', CONTENT, { etag: '"v2"' });
    await download(unpublished(url));
    await expectRightBytes();
  });

  it('is not a mix of two versions that change half way', async () => {
    const url = server.serve('/model.pth', OTHER, { changesAfter: { requests: 6, content: CONTENT, etag: '"v2"' } });
    await download(unpublished(url));
    await expectRightBytes();
  });

  it('may come as one stream of unknown length', async () => {
    await download(unpublished(server.serve('/model.pth', CONTENT, { ignoresRange: true, isChunked: true })));
    await expectRightBytes();
  });

  it('may not be larger than any model', async () => {
    const url = server.serve('/model.pth', CONTENT, { ignoresRange: true, isChunked: true });
    expect((await failure(unpublished(url), { largestFile: 500_000 })).reason).toBe('wrong-size');
    await expectNothingUsable();
  });
});

describe('Google Drive', () => {
  const warning = (action: string) =>
    `<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
     <form id="download-form" action="${action}" method="get">
     <input type="submit" value="Download anyway"/><input type="hidden" name="id" value="abc">
     <input type="hidden" name="export" value="download"><input type="hidden" name="confirm" value="t">
     <input type="hidden" name="uuid" value="1-2&amp;3"></form></body></html>`;

  it('is told to go on when it asks about the virus scan', async () => {
    const cookie = { 'set-cookie': 'download_warning=yes; Path=/; HttpOnly' };
    const page = server.say('/uc', 'text/html; charset=utf-8', warning(server.url('/download')), cookie);
    server.serve('/inner.pth', CONTENT, { etag: null });
    const asked: string[] = [];
    server.handle('/download', async (request, response, log) => {
      asked.push(request.url ?? '');
      await server.answerAs('/inner.pth', request, response, log);
    });
    await download(model(`${page}?export=download&id=abc`));
    await expectRightBytes();
    const query = new URL(asked[0] ?? '', server.url('/')).searchParams;
    expect(Object.fromEntries(query)).toEqual({ id: 'abc', export: 'download', confirm: 't', uuid: '1-2&3' });
    expect(new Set(asked).size).toBe(1);
    expect(
      server.requests.filter(({ path }) => path === '/download').every((one) => one.cookie === 'download_warning=yes'),
    ).toBe(true);
  });

  it('is told to go on by the link of its older page', async () => {
    const html =
      '<html><a id="uc-download-link" href="/uc?export=download&amp;confirm=x1y2&amp;id=abc">Download anyway</a></html>';
    server.serve('/inner.pth', CONTENT);
    const url = server.handle('/uc', async (request, response, log) => {
      const isConfirmed = new URL(request.url ?? '', server.url('/')).searchParams.get('confirm') === 'x1y2';
      if (isConfirmed) await server.answerAs('/inner.pth', request, response, log);
      else {
        log.status = 200;
        response.writeHead(200, { 'content-type': 'text/html' }).end(html);
      }
    });
    await download(model(`${url}?export=download&id=abc`));
    await expectRightBytes();
  });

  it('says why it does not give the file', async () => {
    const html =
      '<html><title>Google Drive - Quota exceeded</title><p class="uc-error-subcaption">Too many users have viewed it.</p></html>';
    const error = await failure(model(server.say('/uc', 'text/html', html)));
    expect(error.reason).toBe('not-a-model');
    expect(error.message).toMatch(/Too many users have viewed it/);
  });

  it('does not lead to another host', async () => {
    const inside = await FaultServer.start('127.0.0.2');
    const page = server.say('/uc', 'text/html', warning(inside.url('/download', '127.0.0.2')));
    expect((await failure(model(page))).reason).toBe('not-a-model');
    expect(inside.requests).toEqual([]);
    await inside.close();
  });
});

describe('files that are there already', () => {
  it('are set aside when the downloader wrote them and they are no longer right', async () => {
    const wanted = model(server.serve('/model.pth', CONTENT));
    const file = join(directory, 'Test_model.pth');
    for (const damaged of ['Test_model.pth.corrupt', 'Test_model.pth.corrupt-2']) {
      await download(wanted);
      const bytes = await readFile(file);
      bytes[1234] = (bytes[1234] ?? 0) ^ 1;
      await rm(file);
      await writeFile(file, bytes);
      expect((await download(wanted)).isFetched).toBe(true);
      expect(bytes.equals(await readFile(join(directory, damaged)))).toBe(true);
    }
    expect(await sha256OfFile(file)).toBe(SHA256);
  });

  it('are left alone when the user placed them', async () => {
    await writeFile(join(directory, 'Test_model.pth'), 'mine');
    const result = await download(model(server.serve('/model.pth', CONTENT)));
    expect(result).toMatchObject({ isFetched: false, record: undefined });
    expect(await readFile(join(directory, 'Test_model.pth'), 'utf8')).toBe('mine');
    expect(server.requests).toEqual([]);
  });

  it('are left alone when the user places them while the download runs', async () => {
    const file = join(directory, 'Test_model.pth');
    const wanted = model(server.serve('/model.pth', CONTENT));
    const onProgress = (): void => writeFileSync(file, 'mine');
    const result = await new ModelDownloader({ directory, limits: LIMITS }).download(wanted, { onProgress });
    expect(result).toMatchObject({ isFetched: false, record: undefined });
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await readdir(directory)).filter((name) => name.startsWith('Test_model'))).toEqual(['Test_model.pth']);
  });

  it('are not written through when a link has the name of the part', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'hiresfix-precious-'));
    await writeFile(join(elsewhere, 'precious'), 'mine');
    await symlink(join(elsewhere, 'precious'), join(directory, 'Test_model.pth.part'));
    await download(model(server.serve('/model.pth', CONTENT)));
    await expectRightBytes();
    expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('mine');
    await rm(elsewhere, { recursive: true });
  });

  it('are named when they are a folder', async () => {
    await mkdir(join(directory, 'Test_model.pth'));
    const { reason, message } = await failure(model(server.serve('/model.pth', CONTENT)));
    expect(reason).toBe('not-writable');
    expect(message).toContain('a folder has the name of the file');
  });

  it('do not stop a download when they are left-overs of a crash that make no sense', async () => {
    await writeFile(join(directory, 'Test_model.pth.part'), 'x');
    await writeFile(join(directory, 'Test_model.pth.part.json'), '{"version":1,"ranges":[[0,99999999]]');
    await download(model(server.serve('/model.pth', CONTENT)));
    await expectRightBytes();
  });

  it('are not resumed where the sidecar promises more than there is', async () => {
    const url = server.serve('/model.pth', CONTENT);
    await interrupt(model(url), 1_000_000);
    await truncate(join(directory, 'Test_model.pth.part'), 1000);
    server.forget();
    await download(model(url));
    await expectRightBytes();
    expect(server.sent).toBe(SIZE + 16);
  });

  it('say so when models.lock.json was damaged by hand', async () => {
    await writeFile(join(directory, 'models.lock.json'), '{');
    await expect(download(model(server.serve('/model.pth', CONTENT)))).rejects.toMatchObject({
      code: 'ERR_BAD_MODELS_LOCK',
    });
  });
});

describe('progress', () => {
  it('is told in bytes, not more often than asked, and ends with the whole', async () => {
    const reports: { downloadedBytes: number; totalBytes: number | null; at: number }[] = [];
    const downloader = new ModelDownloader({ directory, limits: { ...LIMITS, progressMs: 50 } });
    await downloader.download(model(server.serve('/model.pth', CONTENT, { bytesPerSecond: 500_000 })), {
      onProgress: (progress) => reports.push({ ...progress, at: performance.now() }),
    });
    const bytes = reports.map(({ downloadedBytes }) => downloadedBytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(bytes.at(-1)).toBe(SIZE);
    expect(reports.every(({ totalBytes }) => totalBytes === SIZE)).toBe(true);
    expect(reports.length).toBeGreaterThan(4);
    const gaps = reports.slice(1, -1).map(({ at }, index) => at - (reports[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(49);
  });
});

it('is as patient by default as the research says', () => {
  expect(DOWNLOAD_LIMITS).toMatchObject({
    redirects: 5,
    stall: { windowMs: 20_000, bytesPerSecond: 10_240 },
    retry: { attempts: 6, shortestMs: 500, longestMs: 30_000, longestRetryAfterMs: 120_000 },
    lock: { heartbeatMs: 2_000, staleMs: 10_000 },
    largestSegment: 8 * 2 ** 20,
  });
});
