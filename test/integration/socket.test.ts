import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import request from 'supertest';
import { TaskFailedError } from '../../app/worker/errors.ts';
import { HeldJobs } from '../support/servers/held-jobs.ts';
import type { HttpService } from '../support/servers/http-service.ts';
import { openHttpService } from '../support/servers/http-service.ts';

const ONE_OF_NINE = { image: 1, images: 1, tile: 2, tiles: 9 };
const ENDINGS = ['completed', 'failed', 'cancelled'] as const;

interface Event {
  readonly name: string;
  readonly job_id: string;
  readonly status: string;
  readonly stage: string;
  readonly progress: number;
}

describe('the socket', () => {
  let service: HttpService;
  let jobs: HeldJobs;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    jobs = new HeldJobs();
    service = await openHttpService(jobs.handle, { allowedOrigins: ['https://good.example'] });
  });

  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.disconnect());
    await service.close();
  });

  const connect = async (options: Parameters<typeof io>[1] = {}): Promise<Socket> => {
    const socket = io(service.url, { reconnection: false, forceNew: true, ...options });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return socket;
  };
  const subscribe = (socket: Socket, subject: unknown): Promise<Record<string, unknown>> =>
    socket.timeout(5000).emitWithAck('subscribe', subject) as Promise<Record<string, unknown>>;
  /** Everything that the socket is told from now on. */
  const record = (socket: Socket): Event[] => {
    const events: Event[] = [];
    socket.onAny((name: string, payload: Omit<Event, 'name'>) => events.push({ name, ...payload }));
    return events;
  };
  const ending = (socket: Socket): Promise<unknown> =>
    Promise.race(ENDINGS.map((name) => new Promise((resolve) => socket.once(name, resolve))));
  const post = async (key?: string): Promise<string> => {
    const response = await request(service.url)
      .post('/upscale')
      .set({
        'Content-Type': 'image/png',
        Prefer: 'respond-async',
        ...(key !== undefined && { 'Idempotency-Key': key }),
      })
      .send(Buffer.from('image'));
    return (response.body as { job_id: string }).job_id;
  };
  const report = (id: string, progress: number): void =>
    jobs
      .hooks(id)
      .onProgress({ stage: 'upscaling', progress, stageProgress: progress, ...ONE_OF_NINE, secondsLeft: 7.4 });

  it('replays the state of a job, then tells its progress and exactly one end', async () => {
    const socket = await connect();
    const events = record(socket);
    const started = jobs.next();
    const id = await post();
    await started;
    expect(await subscribe(socket, { job_id: id })).toEqual({ ok: true, job_id: id, status: 'processing' });
    expect(events[0]).toMatchObject({ name: 'progress', job_id: id, status: 'processing', progress: 0 });
    const told = new Promise((resolve) =>
      socket.on('progress', ({ progress }: Event) => progress === 0.5 && resolve(progress)),
    );
    report(id, 0.5);
    await told;
    expect(events.at(-1)).toEqual({
      name: 'progress',
      job_id: id,
      status: 'processing',
      stage: 'upscaling',
      progress: 0.5,
      stage_progress: 0.5,
      tile: 2,
      tiles: 9,
      tile_region: null,
      picture: null,
      image: 1,
      images: 1,
      downloaded_bytes: null,
      total_bytes: null,
      eta_seconds: 7,
      queue_position: 0,
    });
    const ended = ending(socket);
    jobs.complete(id);
    expect(await ended).toMatchObject({
      job_id: id,
      status: 'completed',
      progress: 1,
      results: [{ index: 0, url: `/processed/${id}-0.png`, info: { upscaler: 'NEAREST' } }],
    });
    await subscribe(socket, { job_id: await post() }); // everything of the first job has been sent by now
    expect(events.filter(({ name, job_id }) => name !== 'progress' && job_id === id).length).toBe(1);
  });

  it('follows a request by its key before it arrives', async () => {
    const socket = await connect();
    const events = record(socket);
    expect(await subscribe(socket, { idempotency_key: 'mine' })).toEqual({ ok: true, job_id: null, status: null });
    const started = jobs.next();
    const ended = ending(socket);
    const id = await post('mine');
    await started;
    jobs.complete(id);
    await ended;
    expect(events[0]).toMatchObject({
      name: 'progress',
      job_id: id,
      status: 'queued',
      stage: 'queued',
      queue_position: 1,
    });
    expect(events.at(-1)).toMatchObject({ name: 'completed', job_id: id });
    const progress = events.map((event) => event.progress);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('replays the end of a job that has ended', async () => {
    const started = jobs.next();
    const id = await post('late');
    await started;
    const failed = once(service.queue.events, 'failed');
    jobs.fail(id, new TaskFailedError({ code: 'ERR_BAD_CHECKPOINT', fault: 'model', message: 'not a checkpoint' }));
    await failed;
    const socket = await connect();
    const told = ending(socket);
    expect(await subscribe(socket, { job_id: id })).toMatchObject({ ok: true, status: 'failed' });
    expect(await told).toMatchObject({ status: 'failed', error: 'not a checkpoint', code: 'ERR_BAD_CHECKPOINT' });
  });

  it('tells that a job was cancelled', async () => {
    const socket = await connect();
    const started = jobs.next();
    const id = await post();
    await started;
    await subscribe(socket, { job_id: id });
    const told = ending(socket);
    await request(service.url).delete(`/jobs/${id}`);
    expect(await told).toMatchObject({ job_id: id, status: 'cancelled' });
  });

  it('tells those who wait how they move up', async () => {
    const started = jobs.next();
    const [first, , third] = [await post(), await post(), await post()];
    await started;
    const socket = await connect();
    const replayed = new Promise((resolve) => socket.once('progress', resolve));
    await subscribe(socket, { job_id: third });
    expect(await replayed).toMatchObject({ status: 'queued', queue_position: 2 });
    const moved = new Promise((resolve) => socket.once('progress', resolve));
    jobs.complete(first);
    expect(await moved).toMatchObject({ status: 'queued', queue_position: 1 });
  });

  it('tells only those who follow a job about it, until they stop', async () => {
    const [follower, stranger, leaver] = [await connect(), await connect(), await connect()];
    const heard = [record(stranger), record(leaver)];
    const started = jobs.next();
    const id = await post();
    await started;
    await subscribe(follower, { job_id: id });
    await subscribe(leaver, { job_id: id });
    expect(await leaver.timeout(5000).emitWithAck('unsubscribe', { job_id: id })).toMatchObject({ ok: true });
    const replayed = heard[1]?.length;
    const ended = ending(follower);
    jobs.complete(id);
    await ended;
    await Promise.all([stranger, leaver].map((socket) => subscribe(socket, { idempotency_key: 'a round trip' })));
    expect([heard[0], heard[1]?.length]).toEqual([[], replayed]);
  });

  it.each([
    ['an unknown job', { job_id: 'nope' }, 'ERR_JOB_NOT_FOUND'],
    ['nothing', undefined, 'ERR_BAD_PARAMETER'],
    ['null', null, 'ERR_BAD_PARAMETER'],
    ['an empty object', {}, 'ERR_BAD_PARAMETER'],
    ['a number', { job_id: 7 }, 'ERR_BAD_PARAMETER'],
    ['an object', { job_id: { $ne: null } }, 'ERR_BAD_PARAMETER'],
    ['a long key', { idempotency_key: 'x'.repeat(256) }, 'ERR_BAD_PARAMETER'],
  ])('answers a subscription to %s with an error', async (_case, subject, code) => {
    const socket = await connect();
    expect(await subscribe(socket, subject)).toMatchObject({ ok: false, code, error: expect.any(String) });
    expect(socket.connected).toBe(true);
  });

  it('needs no acknowledgement, and survives one that is none', async () => {
    const socket = await connect();
    const id = await post();
    const replayed = new Promise((resolve) => socket.once('progress', resolve));
    socket.emit('subscribe', { job_id: id }, 'not a function');
    socket.emit('subscribe', { job_id: id });
    expect(await replayed).toMatchObject({ job_id: id });
  });

  it.each(['websocket', 'polling'])('keeps pages of other origins out (%s)', async (transport) => {
    const connectFrom = (Origin: string): Promise<Socket> =>
      connect({ transports: [transport], extraHeaders: { Origin } });
    await expect(connectFrom('https://evil.example')).rejects.toThrow();
    await expect(connectFrom('null')).rejects.toThrow();
    expect((await connectFrom('https://good.example')).connected).toBe(true);
    expect((await connectFrom(service.url)).connected).toBe(true);
  });

  it('closes a connection that sends more than a subscription can need', async () => {
    const socket = await connect({ transports: ['websocket'] });
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.emit('subscribe', { job_id: 'x'.repeat(70_000) });
    expect(await closed).toBe('transport close');
  });
});
