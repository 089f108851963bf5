import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../../app/config.ts';
import { HeldJobs } from '../../support/servers/held-jobs.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';

const ALICE = 'alice-key-1';
const BOB = 'bob-key-2';
const { apiKeyDigests } = loadConfig({ API_KEY: `${ALICE}, ${BOB}` });

interface Accepted {
  readonly job_id: string;
}

describe('a service with keys', () => {
  let service: HttpService;
  let jobs: HeldJobs;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle, { apiKeyDigests });
  });

  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.disconnect());
    await service.close();
  });

  const submit = async (key: string, idempotencyKey?: string): Promise<string> => {
    const response = await request(service.url)
      .post('/upscale')
      .set({ 'X-API-KEY': key, 'Content-Type': 'image/png', Prefer: 'respond-async' })
      .set(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey })
      .send('image');
    expect(response.status).toBe(202);
    return (response.body as Accepted).job_id;
  };
  const connect = async (auth: Record<string, unknown>): Promise<Socket> => {
    const socket = io(service.url, { reconnection: false, forceNew: true, auth });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return socket;
  };
  const subscribe = (socket: Socket, subject: unknown): Promise<unknown> =>
    socket.timeout(5000).emitWithAck('subscribe', subject);

  it('answers 429 to who tries key after key, on the socket too, and goes on serving who came with a right one', async () => {
    const ask = (key: string) => request(service.url).get('/jobs').set('X-API-KEY', key);
    await ask(ALICE).expect(200);
    const answers = await Promise.all(Array.from({ length: 35 }, (_, index) => ask(`wrong-${index}`)));
    const [wrong, limited] = [401, 429].map((code) => answers.filter(({ status }) => status === code));
    expect(wrong?.length).toBeGreaterThanOrEqual(30);
    expect(limited?.length).toBeGreaterThanOrEqual(3);
    for (const { body, headers } of limited ?? []) {
      expect(body).toMatchObject({ code: 'ERR_TOO_MANY_WRONG_KEYS' });
      expect(headers['retry-after']).toMatch(/^[12]$/);
    }
    await expect(connect({ api_key: 'wrong' })).rejects.toMatchObject({ data: { code: 'ERR_TOO_MANY_WRONG_KEYS' } });
    await ask(ALICE).expect(200);
    await connect({ api_key: ALICE });
    await request(service.url).get('/jobs').expect(401);
  });

  it('lets nobody in without one, but to ask for its health', async () => {
    for (const path of ['/jobs', '/models', '/status/x', '/processed/x', '/nothing', '/metrics']) {
      const response = await request(service.url).get(path);
      const { status, headers } = response;
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Bearer realm="hiresfix"']);
      expect(response.body).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 401 });
    }
    const refused = await request(service.url).post('/upscale').set('Content-Type', 'image/png').send('image');
    expect(refused.status).toBe(401);
    expect(await service.folder.files()).not.toContainEqual(expect.stringMatching(/^in\//));
    for (const path of ['/health/live', '/health/ready']) {
      expect((await request(service.url).get(path)).status).toBe(200);
    }
  });

  it.each([
    [{ 'X-API-KEY': ALICE }, 200],
    [{ 'X-API-KEY': BOB }, 200],
    [{ Authorization: `Bearer ${BOB}` }, 200],
    [{ Authorization: `bearer   ${ALICE}` }, 200],
    [{ 'X-API-KEY': `${ALICE}x` }, 401],
    [{ 'X-API-KEY': '' }, 401],
    [{ 'X-API-KEY': `${ALICE}, ${BOB}` }, 401],
    [{ Authorization: `Basic ${ALICE}` }, 401],
    [{ Authorization: 'Bearer' }, 401],
    [{ Authorization: `Bearer ${'x'.repeat(8000)}` }, 401],
  ] as const)('answers %p by %p', async (headers, status) => {
    const response = await request(service.url).get('/jobs').set(headers);
    expect(response.status).toBe(status);
  });

  it('says that a key was wrong, and does not repeat it', async () => {
    const { headers, text } = await request(service.url).get('/jobs').set('X-API-KEY', 'wrong-key-3');
    expect(headers['www-authenticate']).toBe('Bearer realm="hiresfix", error="invalid_token"');
    expect(text).not.toContain('wrong-key-3');
  });

  it('shows a caller its own jobs only, and does not tell that there are others', async () => {
    const started = jobs.next();
    const id = await submit(ALICE);
    await started;
    const unknown = '0'.repeat(32);
    const ask = async (method: 'get' | 'delete', path: string): Promise<unknown> => {
      const response = await request(service.url)[method](path).set('X-API-KEY', BOB);
      const { status, headers } = response;
      const { request_id, ...problem } = response.body as Record<string, unknown>;
      const told = JSON.stringify([status, problem, Object.keys(headers).sort(), typeof request_id]);
      return told.replaceAll(id, 'ID').replaceAll(unknown, 'ID');
    };
    for (const [method, path] of [
      ['get', (job: string) => `/jobs/${job}`],
      ['get', (job: string) => `/jobs/${job}/results/0`],
      ['get', (job: string) => `/status/${job}`],
      ['get', (job: string) => `/processed/${job}-0.png`],
      ['get', (job: string) => `/jobs?cursor=${job}`],
      ['delete', (job: string) => `/jobs/${job}`],
    ] as const) {
      const foreign = await ask(method, path(id));
      expect(foreign).toContain('[404,');
      expect(foreign).toBe(await ask(method, path(unknown)));
    }
    const listed = async (key: string): Promise<unknown> =>
      (await request(service.url).get('/jobs').set('X-API-KEY', key)).body;
    expect(await listed(BOB)).toEqual({ jobs: [], next_cursor: null });
    expect(await listed(ALICE)).toMatchObject({ jobs: [{ job_id: id, status: 'processing' }] });
    const cancelled = await request(service.url).delete(`/jobs/${id}`).set('X-API-KEY', ALICE);
    expect(cancelled.body).toMatchObject({ job_id: id, status: 'cancelled' });
  });

  it('keeps the idempotency keys of two callers apart', async () => {
    const [alices, bobs, again] = [await submit(ALICE, 'k'), await submit(BOB, 'k'), await submit(ALICE, 'k')];
    expect(again).toBe(alices);
    expect(bobs).not.toBe(alices);
  });

  it.each([[{}], [{ api_key: 'wrong' }], [{ api_key: [ALICE] }], [{ api_key: { toString: ALICE } }]])(
    'refuses the handshake %p of a socket',
    async (auth) => {
      await expect(connect(auth)).rejects.toMatchObject({ data: { code: 'ERR_UNAUTHORIZED' } });
    },
  );

  it('lets a socket follow the jobs of its own key only', async () => {
    const started = jobs.next();
    const id = await submit(ALICE, 'shared');
    await started;
    const [alice, bob] = [await connect({ api_key: ALICE }), await connect({ api_key: BOB })];
    const heard: unknown[] = [];
    bob.onAny((name: string) => heard.push(name));
    expect(await subscribe(bob, { job_id: id })).toMatchObject({ ok: false, code: 'ERR_JOB_NOT_FOUND' });
    expect(await subscribe(bob, { idempotency_key: 'shared' })).toEqual({ ok: true, job_id: null, status: null });
    expect(await subscribe(alice, { idempotency_key: 'shared' })).toMatchObject({ ok: true, job_id: id });
    const ended = new Promise((resolve) => alice.once('cancelled', resolve));
    await service.queue.cancel(id);
    await ended;
    await subscribe(bob, { job_id: 'none' }); // answered after whatever was sent before
    expect(heard).toEqual([]);
  });
});

describe('a service with a rate limit', () => {
  let service: HttpService;
  afterEach(() => service.close());

  it('refuses what is beyond it, by key, and says when to come back', async () => {
    service = await openHttpService(echo, { apiKeyDigests, rateLimitPerMinute: 3 });
    const ask = (key: string) => request(service.url).get('/jobs').set('X-API-KEY', key);
    const answers = [await ask(ALICE), await ask(ALICE), await ask(ALICE), await ask(ALICE)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers['ratelimit-remaining'])).toEqual(['2', '1', '0', '0']);
    const refused = answers[3];
    expect(refused?.body).toMatchObject({ code: 'ERR_RATE_LIMITED', status: 429 });
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(15);
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(20);
    expect((await ask(BOB)).status).toBe(200);
    expect((await ask('wrong')).status).toBe(401);
    expect((await request(service.url).get('/health/live')).status).toBe(200);
  });

  it('says nothing about limits where there is none', async () => {
    service = await openHttpService(echo);
    const { headers } = await request(service.url).get('/jobs');
    expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });
});
