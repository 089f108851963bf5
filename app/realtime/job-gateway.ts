import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { DefaultEventsMap, Socket } from 'socket.io';
import { z } from 'zod';
import { TooManyStreamsError } from '../access/errors.ts';
import type { KeyCheck } from '../access/key-check.ts';
import { MAX_STREAMS_PER_CALLER, Shares } from '../access/shares.ts';
import type { Config } from '../config.ts';
import { HiresFixError, INTERNAL_ERROR } from '../errors.ts';
import { isAllowedHost } from '../access/allowed-host.ts';
import { isAllowedOrigin } from '../access/allowed-origin.ts';
import type { Job } from '../jobs/job.ts';
import { hasEnded } from '../jobs/job.ts';
import type { JobView, ProgressView } from '../jobs/job-view.ts';
import { ownJob } from '../jobs/own-job.ts';
import { jobView, progressView } from '../jobs/job-view.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Logger } from '../logger.ts';

const MAX_MESSAGE_BYTES = 65_536;
const MAX_SUBSCRIPTIONS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
/** How many ended jobs a socket remembers, so that it reports each end once. */
const REMEMBERED_ENDS = 100;

/** The answer to `subscribe` and `unsubscribe`. `job_id` is null for a key whose request has not come yet. */
export type SubscriptionAck =
  | { readonly ok: true; readonly job_id: string | null; readonly status: string | null }
  | { readonly ok: false; readonly code: string; readonly error: string };

interface ServerEvents {
  progress: (progress: ProgressView) => void;
  completed: (job: JobView) => void;
  failed: (job: JobView) => void;
  cancelled: (job: JobView) => void;
}

type Acknowledge = (ack: SubscriptionAck) => void;

interface ClientEvents {
  subscribe: (subject: unknown, acknowledge?: Acknowledge) => void;
  unsubscribe: (subject: unknown, acknowledge?: Acknowledge) => void;
}

/** What is known of a socket. */
interface SocketData {
  readonly caller: string;
  /** Jobs whose end it has been told, the newest last. */
  readonly told: Set<string>;
}

type JobServer = Server<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>;
type JobSocket = Socket<ClientEvents, ServerEvents, DefaultEventsMap, SocketData>;

/** What a client names a job by; with both, the id counts. */
const subject = z
  .object({ job_id: z.string().min(1).max(64).optional(), idempotency_key: z.string().min(1).max(255).optional() })
  .refine(({ job_id, idempotency_key }) => job_id !== undefined || idempotency_key !== undefined);

export interface GatewayDependencies {
  readonly config: Pick<Config, 'allowedHosts' | 'allowedOrigins' | 'host'>;
  readonly logger: Logger;
  readonly keys: KeyCheck;
  readonly queue: JobQueue;
}

/**
 * Serves job events by socket.io on a server's own port. Where the service has keys, a handshake needs `auth: {api_key}`.
 * Close it before the server: open sockets keep a server open.
 */
export function attachJobGateway(server: HttpServer, { config, logger, keys, queue }: GatewayDependencies): Server {
  const io: JobServer = new Server(server, {
    serveClient: false,
    destroyUpgrade: false, // those of other paths are plain HTTP, and not for it to end
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    connectTimeout: CONNECT_TIMEOUT_MS,
    cors: { origin: [...config.allowedOrigins] },
    // CORS only keeps pages from reading answers; this keeps them from connecting at all.
    allowRequest: ({ headers }, decide) =>
      decide(
        null,
        isAllowedHost(headers.host, config) && isAllowedOrigin(headers.origin, headers.host, config.allowedOrigins),
      ),
  });
  const shares = new Shares(MAX_STREAMS_PER_CALLER);
  io.use((socket, next) => {
    let caller: string;
    try {
      caller = keys.callerOf(keyIn(socket.handshake.auth), socket.handshake.address);
    } catch (error) {
      next(refusedHandshake(error as HiresFixError));
      return;
    }
    const giveBack = shares.take(caller);
    if (giveBack) {
      socket.once('disconnect', giveBack);
      socket.conn.once('close', giveBack); // also of one that leaves before it has been let in
    }
    socket.data = { caller, told: new Set() };
    next(giveBack ? undefined : refusedHandshake(new TooManyStreamsError(MAX_STREAMS_PER_CALLER)));
  });
  io.on('connection', (socket) => serve(socket, queue, logger));
  queue.events.on('progress', (job) => io.to(roomsOf(job)).emit('progress', progressView(job)));
  for (const ending of ['completed', 'failed', 'cancelled'] as const) {
    queue.events.on(ending, (job) => socketsIn(io, roomsOf(job)).forEach((socket) => tellEnd(socket, job)));
  }
  return io;
}

/** What is there and no text is a wrong key. */
function keyIn({ api_key: key }: Readonly<Record<string, unknown>>): string | undefined {
  return key === undefined || typeof key === 'string' ? key : '';
}

/** What socket.io tells the client as `connect_error`: the message, and `data`. */
function refusedHandshake(error: HiresFixError): Error {
  return Object.assign(error, { data: { code: error.code } });
}

function serve(socket: JobSocket, queue: JobQueue, logger: Logger): void {
  const answering = (acknowledge: Acknowledge | undefined, work: () => Promise<SubscriptionAck>): void => {
    work()
      .catch((error: unknown) => refusal(error, logger))
      .then((ack) => {
        if (typeof acknowledge === 'function') acknowledge(ack);
      })
      .catch((error: unknown) => logger.error('socket answer failed', { error }));
  };
  socket.on('subscribe', (payload, acknowledge) => answering(acknowledge, () => subscribe(socket, queue, payload)));
  socket.on('unsubscribe', (payload, acknowledge) => answering(acknowledge, () => unsubscribe(socket, payload)));
}

async function subscribe(socket: JobSocket, queue: JobQueue, payload: unknown): Promise<SubscriptionAck> {
  const { job_id, idempotency_key } = subject.parse(payload);
  if (socket.rooms.size > MAX_SUBSCRIPTIONS) {
    return { ok: false, code: 'ERR_BAD_PARAMETER', error: `A socket follows at most ${MAX_SUBSCRIPTIONS} jobs` };
  }
  const { caller } = socket.data;
  const find = (): Promise<Job | undefined> =>
    job_id !== undefined ? ownJob(queue, job_id, caller) : queue.findByKey({ caller, key: idempotency_key ?? '' });
  const before = await find();
  if (before) socket.data.told.delete(before.id);
  await socket.join(roomOf(caller, payload));
  // Read once more after joining: what changed in between was sent to others only.
  const job = await find();
  if (job) replay(socket, job);
  return { ok: true, job_id: job?.id ?? null, status: job?.status ?? null };
}

async function unsubscribe(socket: JobSocket, payload: unknown): Promise<SubscriptionAck> {
  await socket.leave(roomOf(socket.data.caller, payload));
  return { ok: true, job_id: null, status: null };
}

/** What came by a room while the job was being read is newer than what was read. */
function replay(socket: JobSocket, job: Job): void {
  if (hasEnded(job.status)) tellEnd(socket, job);
  else if (!socket.data.told.has(job.id)) socket.emit('progress', progressView(job));
}

function tellEnd(socket: JobSocket, job: Job): void {
  const { told } = socket.data;
  if (!hasEnded(job.status) || told.has(job.id)) return;
  told.add(job.id);
  for (const oldest of told) if (told.size > REMEMBERED_ENDS) told.delete(oldest);
  socket.emit(job.status, jobView(job));
}

function socketsIn(io: JobServer, rooms: readonly string[]): readonly JobSocket[] {
  const { adapter, sockets } = io.of('/');
  const ids = new Set(rooms.flatMap((room) => [...(adapter.rooms.get(room) ?? [])]));
  return [...ids].flatMap((id) => sockets.get(id) ?? []);
}

function refusal(error: unknown, logger: Logger): SubscriptionAck {
  if (error instanceof HiresFixError) return { ok: false, code: error.code, error: error.message };
  if (error instanceof z.ZodError) {
    return { ok: false, code: 'ERR_BAD_PARAMETER', error: 'Expected {job_id} or {idempotency_key}, as text' };
  }
  logger.error('subscription failed', { error });
  return { ok: false, code: INTERNAL_ERROR.code, error: INTERNAL_ERROR.message };
}

/** A job is followed by its id or by the key of its request; the key's room exists before the job does. */
function roomsOf(job: Job): string[] {
  return job.idempotency ? [`job:${job.id}`, keyRoom(job.caller, job.idempotency.key)] : [`job:${job.id}`];
}

function roomOf(caller: string, payload: unknown): string {
  const { job_id, idempotency_key } = subject.parse(payload);
  return job_id !== undefined ? `job:${job_id}` : keyRoom(caller, idempotency_key ?? '');
}

function keyRoom(caller: string, key: string): string {
  return `key:${JSON.stringify([caller, key])}`;
}
