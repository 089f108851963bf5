import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { A1111Service } from '../../../support/servers/a1111-service.ts';
import { a1111Service, noisyPng } from '../../../support/servers/a1111-service.ts';
import type { OpenApiPaths } from '../../../support/servers/described-answers.ts';
import { DescribedAnswers } from '../../../support/servers/described-answers.ts';

const PICTURE = noisyPng({ width: 24, height: 16 });
const BASE64 = PICTURE.toString('base64');
const NO_JOB = '0'.repeat(32);
/** One upscale, which comes out of the cache when it is asked for again. */
const LANCZOS = { upscaler: 'LANCZOS', scale: '2', output_format: 'png' };
const EXTRAS = { upscaler_1: 'Lanczos', upscaling_resize: 2 };
/** What cannot be done without networks that are not in the repository. */
const WITHOUT_MODELS = ['post /restore', 'post /colorize', 'post /face', 'post /faces'];

interface Sent {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Headers;
}

/** Every route is asked for what it does, and for what it refuses; what comes back is held to `/openapi.json`. */
describe('the answers of a live service', () => {
  let service: A1111Service;
  let described: DescribedAnswers;
  let document: OpenApiPaths;
  /** `get /jobs 200` and so on: what was asked for, and how it ended. */
  const seen = new Set<string>();

  beforeAll(async () => {
    service = await a1111Service({ ALLOWED_ORIGINS: 'http://page.example', ALLOW_MODEL_UPLOAD: 'true' });
    document = (await service.get('/openapi.json')).body as OpenApiPaths;
    described = new DescribedAnswers(document);
  });
  afterAll(() => service.close());

  /** Sends a request whose answer has to be of that status, and as the document says. */
  const ask = async (wanted: number, method: string, path: string, init: RequestInit = {}): Promise<Sent> => {
    const response = await fetch(service.url + path, { method, redirect: 'manual', ...init });
    const body = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('Content-Type') ?? '';
    const { status } = response;
    const faults = described.faultsOf({ method, path, status, type, body });
    expect({ method, path, status, faults, ...(status !== wanted && { body: body.toString().slice(0, 300) }) }).toEqual(
      {
        method,
        path,
        status: wanted,
        faults: [],
      },
    );
    seen.add(`${method.toLowerCase()} ${described.operationOf(method, path) ?? ''} ${status}`);
    return { status, body, headers: response.headers };
  };
  const get = (wanted: number, path: string, headers: Record<string, string> = {}): Promise<Sent> =>
    ask(wanted, 'GET', path, { headers });
  const post = (wanted: number, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Sent> =>
    ask(wanted, 'POST', path, {
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const form = (fields: Readonly<Record<string, string>>, part = 'file', bytes: Uint8Array = PICTURE): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    data.append(part, new Blob([Buffer.from(bytes)]), 'a.png');
    return data;
  };
  const send = (wanted: number, path: string, body: FormData, headers: Record<string, string> = {}): Promise<Sent> =>
    ask(wanted, 'POST', path, { body, headers });
  const jobOf = ({ body }: Sent): string => (JSON.parse(body.toString()) as { job_id: string }).job_id;
  const ended = (id: string): Promise<Sent> => get(200, `/jobs/${id}/events`);

  it('are described where pictures are made', async () => {
    await send(200, '/upscale', form(LANCZOS));
    await ask(200, 'POST', '/upscale?upscaler=LANCZOS&scale=2&output_format=png', {
      headers: { 'Content-Type': 'image/png' },
      body: Buffer.from(PICTURE),
    });
    await send(202, '/upscale', form(LANCZOS), { Prefer: 'respond-async' });
    await send(400, '/upscale', form({ scale: 'x' }));
    await send(403, '/upscale', form(LANCZOS), { Origin: 'http://other.example' });
    await post(415, '/upscale', {});
    await send(413, '/upscale', form({ upscaler: 'LANCZOS', scale: '100000' }));
    await send(400, '/upscale', form(LANCZOS, 'file', Buffer.from('no picture')));
    await post(200, '/hires-fix', { images: [BASE64], config: { upscaler: 'LANCZOS', upscale_factor: 2 } });
    await post(400, '/hires-fix', { images: [] });
    await send(200, '/preview', form({ region: '0,0,8,8', upscalers: 'LANCZOS,NOTHING' }));
    await send(503, '/restore', form({ steps: 'denoise' }));
    await send(503, '/faces', form({}));
  });

  it('are described where jobs are asked for, followed, read and ended', async () => {
    const id = jobOf(await send(202, '/jobs', form({ method: 'upscale', ...LANCZOS }, 'files')));
    await ended(id);
    const { results } = JSON.parse((await get(200, `/jobs/${id}`)).body.toString()) as { results: { url: string }[] };
    const { headers } = await get(200, `/jobs/${id}/results/0`);
    await get(200, `/jobs/${id}/results/0?region=0,0,8,8&width=4`);
    const processed = results[0]?.url ?? '';
    for (const path of [`/jobs/${id}/results/0`, processed, `/comfy/result/${id}`]) {
      await get(206, path, { Range: 'bytes=0-9' });
      await get(304, path, { 'If-None-Match': `"other", ${String(headers.get('ETag'))}` });
      await get(412, path, { 'If-Match': '"other"' });
      await get(416, path, { Range: 'bytes=9999999-' });
    }
    await get(404, `/jobs/${id}/results/7`);
    const zip = await get(200, `/jobs/${id}/results.zip`);
    await get(304, `/jobs/${id}/results.zip`, { 'If-None-Match': zip.headers.get('ETag') ?? '' });
    await get(204, `/jobs/${id}/sketch/0`);
    const archive = await post(201, '/archives', { jobs: [{ job_id: id }] });
    const linked = archive.headers.get('Location') ?? '';
    const { headers: ofLinked } = await get(200, linked);
    await get(304, linked, { 'If-None-Match': ofLinked.get('ETag') ?? '' });
    await get(404, '/archives/nothing.zip');
    await get(200, `/status/${id}`);
    await get(200, processed);
    await get(404, '/processed/nothing.png');
    await get(200, '/jobs?limit=2');
    await get(400, '/jobs?limit=0');
    for (const path of ['/jobs/', '/status/']) await get(404, path + NO_JOB);
    const enhanced = await send(202, '/enhance', form({ face_enhance: 'false', ...LANCZOS }));
    await ended(jobOf(enhanced));
    await ask(204, 'DELETE', `/jobs/${id}`);
    await ask(404, 'DELETE', `/jobs/${id}`);
    const long = jobOf(
      await send(202, '/jobs', form({ method: 'upscale', upscaler: 'COMPACT_X2', scale: '50' }, 'files')),
    );
    await get(409, `/jobs/${long}/results/0`);
    await ask(200, 'DELETE', `/jobs/${long}`);
  });

  it("are described on gateways' routes and ComfyUI's", async () => {
    const asked = { model: 'LANCZOS', scale: '2' };
    await send(200, '/v1/images/upscale', form({ ...asked, response_format: 'url' }, 'image'));
    await post(200, '/v1/images/upscale', { image: BASE64, ...asked });
    await post(400, '/v1/images/upscale', { image: BASE64, scale: 'x' });
    await send(200, '/v1/upscale?target_width=48&target_height=32&upscaler=LANCZOS', form({}));
    await send(400, '/v1/upscale?target_width=x&target_height=32', form({}));
    await get(200, '/comfy/models');
    await get(200, '/comfy/health');
    await send(200, '/comfy/upscale', form({ model_name: 'LANCZOS' }));
    const { body } = await send(200, '/comfy/upscale_stream', form({ model_name: 'LANCZOS' }));
    const [, id = ''] = /"result_id": ?"(\w+)"/.exec(body.toString()) ?? [];
    await get(200, `/comfy/result/${id}`);
    await get(404, `/comfy/result/${NO_JOB}`);
  });

  it('are described on the routes of the A1111 WebUI', async () => {
    for (const path of ['extra-single-image', 'process'])
      await post(200, `/sdapi/v1/${path}`, { image: BASE64, ...EXTRAS });
    for (const path of ['extra-batch-images', 'process-batch'])
      await post(200, `/sdapi/v1/${path}`, { imageList: [{ data: BASE64, name: 'a.png' }], ...EXTRAS });
    await post(422, '/sdapi/v1/extra-single-image', { image: BASE64, upscaler_1: 'nothing' });
    await post(422, '/sdapi/v1/extra-single-image', { image: BASE64, resize_mode: 3 });
    await post(500, '/sdapi/v1/extra-single-image', { image: 'no' });
    await get(200, `/sdapi/v1/png-info?image=${encodeURIComponent(BASE64)}`);
    await post(200, '/sdapi/v1/png-info', { image: BASE64 });
    await post(200, '/sdapi/v1/options', { samples_format: 'png' });
    await post(200, '/internal/progress', { id_task: 'none' });
    const rest = Object.entries(document.paths).filter(([path]) => path.startsWith('/sdapi/'));
    for (const [path, methods] of rest) {
      const asked = (method: string) => [...seen].some((one) => one.startsWith(`${method} ${path} 200`));
      if ('get' in methods && !asked('get')) await get(200, path);
      if ('post' in methods && !asked('post')) await post(200, path);
    }
  });

  it('are described of the service itself, and of its models', async () => {
    for (const path of ['/models', '/metrics', '/health/live', '/health/ready', '/openapi.json', '/docs', '/redoc'])
      await get(200, path);
    await post(200, '/models/compact-x2/download', undefined, { Prefer: 'wait=60' });
    await post(503, '/models/realesrgan-x2plus/download', undefined, { Prefer: 'wait=60' });
    await post(404, '/models/nothing/download');
    const model = new FormData();
    model.append('file', new Blob([await readFile('models/compact-x2.safetensors')]), 'ours.safetensors');
    await send(201, '/models', model);
    await send(409, '/models', model);
  });

  it('have examples that hold: of every JSON body that is sent, of problems, and of what is accepted', () => {
    expect(described.faultsOfExamples()).toEqual([]);
  });

  it('have all been asked for: every route of the document, in its use and where it has one in its refusal', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const used = new Set([...seen].filter((one) => / 20\d$/.test(one)).map((one) => one.slice(0, -4)));
    expect(operations.filter((one) => !used.has(one))).toEqual(WITHOUT_MODELS);
  });
});
