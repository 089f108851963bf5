import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { STATUS_OF_CODE } from '../../../../app/http/problem.ts';
import type { BuiltProgram } from '../../../support/built-program.ts';
import { buildProgram } from '../../../support/built-program.ts';
import { eventually } from '../../../support/eventually.ts';
import { pixelBomb } from '../../../support/images/hostile-images.ts';
import { noise } from '../../../support/images/images.ts';
import { writePng } from '../../../support/images/png.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { smallNetwork, smallTensors, writeSmallNetwork } from '../../../support/networks/small-networks.ts';
import { overflowingNetwork } from '../../../support/networks/overflowing-network.ts';
import { S3Server } from '../../../support/servers/s3-server.ts';
import type { LogLine, ServeProcess } from '../../../support/servers/serve-process.ts';
import { serveProcess } from '../../../support/servers/serve-process.ts';
import type { SmallDisk } from '../../../support/small-disk.ts';
import { mountSmallDisk } from '../../../support/small-disk.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const IMAGE = writePng(noise({ width: 16, height: 12, channels: 3, depth: 8 }));
const CUT = Buffer.concat([IMAGE.subarray(0, 60), Buffer.alloc(200, 7)]);
const SECRET = 'root-of-all-evil:x:0:0';
/** Longer than any of these tests. */
const LONG = 'upscaler=NEAREST&width=9000&height=9000&output_format=avif&quality=90';

/** Codes that no job ends in, and why. */
const OF_NO_JOB: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['BAD_BODY', 'BAD_REQUEST', 'UNAUTHORIZED', 'HOST_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED', 'SLOW_BODY'],
      ...['FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'NOT_FOUND', 'JOB_NOT_FOUND', 'RESULT_NOT_FOUND', 'NOT_READY'],
      ...[
        'IDEMPOTENCY_KEY_REUSED',
        'JOB_FINISHED',
        'JOB_NOT_ENDED',
        'JOB_NOT_COMPLETED',
        'CALLER_QUEUE_FULL',
        'RATE_LIMITED',
      ],
      ...['TOO_MANY_STREAMS', 'TOO_MANY_WRONG_KEYS', 'QUEUE_FULL', 'METHOD_NOT_ALLOWED'],
      ...['MODEL_EXISTS', 'MODEL_REFUSED', 'MODEL_UPLOAD_OFF'],
    ].map((name) => [`ERR_${name}`, 'a request is answered with it']),
  ),
  ERR_BAD_JOURNAL: 'the service does not start',
  ERR_STATE_IN_USE: 'the service does not start',
  ERR_ADDRESS_UNUSABLE: 'the service does not start',
  ERR_FOLDER_UNUSABLE: 'the service does not start',
  ERR_CANCELLED: 'a job is cancelled, which is no failure',
  ERR_DEVICE_UNAVAILABLE:
    'what cannot be had is followed by the CPU, which always can; `models run` takes one device alone',
  ERR_DOWNLOAD_FAILED: 'a job ends in ERR_MODEL_UNAVAILABLE, of which it is the cause',
  ERR_FILE_EXISTS: 'the folder of a job is its own; on the command line alone',
  ERR_PRIVATE_ADDRESS: 'a webhook is refused by it, after the job',
  ERR_BAD_GRAPH: 'no file makes a graph that is put together wrongly: architectures refuse it first',
  ERR_NETWORK_INPUT: 'networks of one size are fed by pipelines that know it; models run alone takes others',
};
const PROVOKED = new Set<string>();
const WIDE = writePng(noise({ width: 2100, height: 1, channels: 3, depth: 8 }));
const DOT = writePng(noise({ width: 1, height: 1, channels: 3, depth: 8 }));

interface JobBody {
  readonly job_id: string;
  readonly status: string;
  readonly code: string | null;
}

describe('a job that fails', () => {
  let folder: TemporaryFolder;
  let program: BuiltProgram;
  let server: ServeProcess;
  let models: string;
  let disk: SmallDisk | undefined;

  const serve = (name: string, env: Record<string, string>): Promise<ServeProcess> =>
    serveProcess(join(folder.path, name), { LOG_LEVEL: 'warn', ...env }, program.main);

  beforeAll(async () => {
    folder = await temporaryFolder();
    // A bug, as there may be one anywhere, and patience that ends before that of the test.
    program = await buildProgram({
      'processing/choose-format.ts': (source) =>
        source.replace("if (asked !== 'auto')", "if (asked === 'tiff') throw new TypeError('a bug');\n$&"),
      'jobs/storage/object-store.ts': (source) => source.replace(/(PATIENTLY: Patience = )\[.*\]/, '$1[100]'),
      'jobs/job-queue.ts': (source) => source.replace('MAX_RESTARTS = 10', 'MAX_RESTARTS = 1'),
    });
    models = join(folder.path, 'models');
    await mkdir(models);
    await writeFile(join(folder.path, 'passwd'), `${SECRET}:/root\nmore\n`);
    await symlink(join(folder.path, 'passwd'), join(models, 'passwd.pth'));
    await writeFile(join(models, 'empty.pth'), '');
    writeNetworks(models);
    disk = mountSmallDisk(2 ** 22);
    const results = disk ? { PROCESSED_FOLDER: disk.directory } : {};
    server = await serve('first', { MODELS_DIR: models, MODEL_UPSCALE: 'nothing', ...results });
  }, 60_000);
  afterAll(async () => {
    await server.kill();
    disk?.unmount();
    await program.remove();
    await folder.remove();
  });

  const submit = async (service: ServeProcess, query: string, image = IMAGE): Promise<string> => {
    const response = await request(service.url)
      .post(`/upscale?${query}`)
      .type('image/png')
      .set('Prefer', 'respond-async')
      .send(image)
      .expect(202);
    return (response.body as JobBody).job_id;
  };
  const ended = async (service: ServeProcess, id: string): Promise<JobBody> =>
    eventually(
      async () => (await request(service.url).get(`/jobs/${id}`)).body as JobBody,
      ({ status }) => status === 'failed' || status === 'completed',
    );
  /** Its one line in the log: the code, whose it is, and where it came from. */
  const expectTold = async (service: ServeProcess, id: string, code: string): Promise<LogLine> => {
    PROVOKED.add(code);
    const linesOf = () => service.logLines().filter((line) => line.message === 'job failed' && line.job_id === id);
    const lines = await eventually(
      () => Promise.resolve(linesOf()),
      (found) => found.length > 0,
    );
    expect(lines).toEqual([expect.objectContaining({ code, caller: 'anyone' })]);
    expect(lines[0]?.request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines[0]?.error?.message).toMatch(/./);
    expect(lines[0]?.error?.stack).toMatch(/\.js:\d+/);
    return lines[0] ?? { level: '', message: '' };
  };

  it.each([
    ['ERR_BAD_IMAGE', 'upscaler=NEAREST', CUT],
    ['ERR_BAD_CHECKPOINT', 'upscaler=passwd', IMAGE],
    ['ERR_BAD_CHECKPOINT', 'upscaler=empty', IMAGE],
    ['ERR_BAD_WEIGHTS', 'upscaler=lacking', IMAGE],
    ['ERR_UNKNOWN_NETWORK', 'upscaler=unknown', IMAGE],
    ['ERR_INFERENCE', 'upscaler=nan', IMAGE],
    ['ERR_UNKNOWN_UPSCALER', 'upscaler=nothing', IMAGE],
    ['ERR_BAD_PARAMETER', 'upscaler=NEAREST&denoise_strength=0.5', IMAGE],
    ['ERR_MODEL_UNAVAILABLE', 'upscaler=REALESRGAN_X4PLUS', IMAGE],
    ['ERR_OUTPUT_FORMAT', 'upscaler=eightfold&output_format=webp', WIDE], // how much it enlarges no header tells
    ['ERR_INTERNAL', 'upscaler=NEAREST&output_format=tiff', IMAGE],
  ])('with %s (%s) has one line in the log, with cause, stack and ids', async (code, query, image) => {
    const id = await submit(server, query, image);
    expect(await ended(server, id)).toMatchObject({ status: 'failed', code });
    const line = await expectTold(server, id, code);
    expect(line.level).toBe(code === 'ERR_INTERNAL' ? 'error' : 'warn');
  });

  it('because of what the service is set to is none: it starts, and says what is wrong', () => {
    const told = server.logLines().filter(({ message }) => message.startsWith('MODEL_UPSCALE: '));
    expect(told).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining("there is no 'nothing'") }),
    ]);
  });

  it('in parts has a line for each image that failed', async () => {
    const form = request(server.url).post('/jobs').field({ method: 'upscale', upscaler: 'NEAREST' });
    form.attach('files', CUT, 'cut.png').attach('files', Buffer.from('%PDF-1.7'), 'paper.pdf');
    const { job_id: id } = (await form.attach('files', IMAGE, 'good.png').expect(202)).body as JobBody;
    const large = request(server.url).post('/jobs').field({ method: 'upscale', upscaler: 'NEAREST', scale: 3000 });
    large.attach('files', Buffer.from('%PDF-1.7'), 'paper.pdf').attach('files', DOT, 'dot.png');
    const { job_id: other } = (await large.expect(202)).body as JobBody;
    // What is too much is refused at the door, but for a preview: each of its upscalers is told by itself.
    const preview = async (query: string, image: Buffer): Promise<string> => {
      const asked = request(server.url).post(`/preview?region=0,0,1,1&${query}`).type('image/png').send(image);
      return ((await asked.set('Prefer', 'respond-async').expect(202)).body as JobBody).job_id;
    };
    const [wide, padded, bomb] = [
      await preview('upscalers=NEAREST,LANCZOS&scale=30000', IMAGE),
      await preview('upscalers=NEAREST,COMPACT_X2&pre_pad=30000', IMAGE),
      await preview('upscalers=NEAREST,LANCZOS', pixelBomb()),
    ];
    for (const one of [id, other, wide, padded, bomb]) await ended(server, one);
    const expected: [job: string, index: number, code: string][] = [
      [id, 0, 'ERR_BAD_IMAGE'],
      [id, 1, 'ERR_UNSUPPORTED_IMAGE'],
      [other, 0, 'ERR_UNSUPPORTED_IMAGE'],
      [wide, 1, 'ERR_OUTPUT_TOO_LARGE'],
      [padded, 1, 'ERR_WORK_TOO_LARGE'],
      [bomb, 1, 'ERR_IMAGE_TOO_LARGE'],
    ];
    if (disk) expected.push([other, 1, 'ERR_SCRATCH_SPACE']);
    for (const [job, index, code] of expected) {
      PROVOKED.add(code);
      const found = server.logLines().filter((line) => line.job_id === job && line.index === index);
      expect(found).toEqual([expect.objectContaining({ message: 'an image of a job failed', code, caller: 'anyone' })]);
      expect(found[0]?.request_id).toMatch(/./);
      expect(found[0]?.error?.stack).toMatch(/\.js:\d+/);
    }
  });

  it('because its worker is killed again and again has one line of its own', async () => {
    const id = await submit(server, LONG);
    const code = 'ERR_WORKER_CRASHED';
    const body = await eventually(
      async () => {
        for (const child of childrenOf(server.pid)) process.kill(child, 'SIGKILL');
        return (await request(server.url).get(`/jobs/${id}`)).body as JobBody;
      },
      ({ status }) => status === 'failed',
    );
    expect(body).toMatchObject({ status: 'failed', code });
    await expectTold(server, id, code);
  });

  it('because of what lies in MODELS_DIR has one, and tells its caller neither where that is nor what is in it', async () => {
    const texts: string[] = [];
    for (const upscaler of ['passwd', 'empty', 'REALESRGAN_X4PLUS']) {
      const { text } = await request(server.url).post(`/upscale?upscaler=${upscaler}`).type('image/png').send(IMAGE);
      texts.push(text);
    }
    const auto = await request(server.url).post('/upscale?scale=4').type('image/png').send(IMAGE);
    expect(auto.status).toBe(200);
    const { text: list } = await request(server.url).get('/models');
    const { text: jobs } = await request(server.url).get('/jobs');
    texts.push(JSON.stringify(auto.headers), list, jobs);

    // A file that the downloader wrote and that has changed since is set aside; then nothing of its name is there.
    const record = {
      name: 'nan',
      sha256: 'a'.repeat(64),
      size: 1,
      mtime_ms: 1,
      url: 'http://x',
      sha256_from: 'published',
    };
    const lock = { version: 1, models: { 'nan.pth': { ...record, downloaded_at: '2026-01-01T00:00:00Z' } } };
    await writeFile(join(models, 'models.lock.json'), JSON.stringify(lock));
    const gone = (await request(server.url).post('/models/nan/download').expect(202)).body as JobBody;
    expect(await ended(server, gone.job_id)).toMatchObject({ code: 'ERR_UNKNOWN_MODEL' });
    await expectTold(server, gone.job_id, 'ERR_UNKNOWN_MODEL');
    await writeFile(join(models, 'models.lock.json'), 'no list');
    const own = await submit(server, 'upscaler=lacking'); // the list has nothing to say of the user's own files
    expect(await ended(server, own)).toMatchObject({ code: 'ERR_BAD_WEIGHTS' });
    const damaged = await submit(server, 'upscaler=REALESRGAN_X4PLUS');
    expect(await ended(server, damaged)).toMatchObject({ code: 'ERR_BAD_MODELS_LOCK' });
    await expectTold(server, damaged, 'ERR_BAD_MODELS_LOCK');
    await rm(join(models, 'models.lock.json'));
    texts.push((await request(server.url).get('/jobs')).text);
    for (const text of texts) {
      expect(text).not.toContain(folder.path);
      expect(text).not.toContain(SECRET.slice(0, 8));
    }
    expect(texts[2]).toContain('put it into MODELS_DIR');
  });

  it('because its server was killed too often, its time is over or nothing can be fetched has one', async () => {
    const env = { MODELS_DIR: join(folder.path, 'passwd', 'models') };
    let second = await serve('second', env);
    try {
      const id = await submit(second, LONG);
      for (let kills = 0; kills < 2; kills++) {
        await eventually(
          async () => (await request(second.url).get(`/jobs/${id}`)).body as JobBody,
          ({ status }) => status === 'processing',
        );
        await second.kill();
        second = await serve('second', { ...env, JOB_TIMEOUT_SECONDS: '3' });
      }
      expect(await ended(second, id)).toMatchObject({ status: 'failed', code: 'ERR_JOB_INTERRUPTED' });
      await expectTold(second, id, 'ERR_JOB_INTERRUPTED');
      const late = await submit(second, LONG);
      expect(await ended(second, late)).toMatchObject({ status: 'failed', code: 'ERR_JOB_TIMEOUT' });
      await expectTold(second, late, 'ERR_JOB_TIMEOUT');
      await second.kill();
      second = await serve('second', { ...env, MODEL_DOWNLOADS: 'true' }); // it may take its time to say what is wrong
      const download = await request(second.url).post('/models/parsenet/download').expect(202);
      const { job_id: fetching } = download.body as JobBody;
      expect(await ended(second, fetching)).toMatchObject({ status: 'failed', code: 'ERR_MODEL_UNAVAILABLE' });
      const { error } = await expectTold(second, fetching, 'ERR_MODEL_UNAVAILABLE');
      expect(error?.stack).toMatch(
        /caused by: DownloadError: Could not download parsenet: the folder cannot be written/,
      );
    } finally {
      await second.kill();
    }
  });

  it('because the store of its pictures is away has one', async () => {
    const store = await S3Server.start(folder.path);
    const third = await serve('third', store.env);
    try {
      const id = await submit(third, 'upscaler=NEAREST&width=3000&height=3000');
      await eventually(
        async () => (await request(third.url).get(`/jobs/${id}`)).body as JobBody,
        ({ status }) => status === 'processing',
      );
      await store.kill();
      expect(await ended(third, id)).toMatchObject({ status: 'failed', code: 'ERR_STORE_UNAVAILABLE' });
      await expectTold(third, id, 'ERR_STORE_UNAVAILABLE');
    } finally {
      await third.kill();
      await store.kill();
    }
  });

  it('ends in no code but those that are provoked here', () => {
    const others = Object.keys(STATUS_OF_CODE).filter((code) => !(code in OF_NO_JOB) && !PROVOKED.has(code));
    expect(others).toEqual(disk ? [] : ['ERR_SCRATCH_SPACE']);
    expect(Object.keys(OF_NO_JOB).filter((code) => PROVOKED.has(code))).toEqual([]);
  });
});

/** A network of 8x. Checkpoints of a small network: as it is but for a weight that is missing, with weights whose answer is no number, and of no network. */
function writeNetworks(models: string): void {
  const small = smallNetwork('compact-x2');
  writeSmallNetwork(join(models, 'eightfold.pth'), smallNetwork('old-x8'), 'pth-zip');
  const tensors = [...smallTensors(small)];
  const format = 'pth-zip' as const;
  writeCheckpoint(join(models, 'lacking.pth'), new Map(tensors.filter(([name]) => name !== 'body.0.bias')), { format });
  writeCheckpoint(join(models, 'unknown.pth'), new Map([['nothing.weight', tensors[0]?.[1] ?? never()]]), { format });
  writeCheckpoint(join(models, 'nan.pth'), overflowingNetwork('NaN'), { format });
}

function never(): never {
  throw new Error('a network has weights');
}

/** Workers of a server, the one that waits among them. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
    .filter(Boolean)
    .map(Number);
}
