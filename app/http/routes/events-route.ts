import type { Response } from 'express';
import { Router } from 'express';
import { TooManyStreamsError } from '../../access/errors.ts';
import { MAX_STREAMS_PER_CALLER, Shares } from '../../access/shares.ts';
import type { Job } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import { jobView, progressView } from '../../jobs/job-view.ts';
import { ownJob } from '../../jobs/own-job.ts';
import { callerOf } from '../caller.ts';
import type { RouteContext } from './route-context.ts';

/** Proxies cut connections that say nothing for long. */
const PING_MS = 15_000;
/** What a client that has not read may leave unsent; its next connection begins with the latest state anyway. */
const MAX_UNSENT_BYTES = 65_536;
const STREAM_HEADERS = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' };
const EVENTS = ['progress', 'completed', 'failed', 'cancelled'] as const;

/**
 * `GET /jobs/{id}/events`: the events of a job as the socket has them, by server-sent events. The first is the latest state, so
 * that nothing is missed over a lost connection; the last is the job's end, after which the stream closes.
 */
export function eventsRoute({ queue }: Pick<RouteContext, 'queue'>): Router {
  const shares = new Shares(MAX_STREAMS_PER_CALLER);
  return Router().get('/jobs/:id/events', async (request, response) => {
    const job = await ownJob(queue, request.params.id, callerOf(response));
    if (request.method === 'HEAD') {
      response.set(STREAM_HEADERS).end();
      return;
    }
    const giveBack = shares.take(callerOf(response));
    if (!giveBack) throw new TooManyStreamsError(MAX_STREAMS_PER_CALLER);
    response.once('close', giveBack);
    if (response.closed) giveBack();
    const stream = new EventStream(response, Number(request.get('Last-Event-ID') ?? 0) || 0);
    const follow = (now: Job): void => {
      if (now.id === job.id) stream.tell(now);
    };
    const end = (now: Job): void => {
      if (now.id === job.id) response.end();
    };
    for (const event of EVENTS) queue.events.on(event, follow);
    queue.events.on('interrupted', end);
    response.once('close', () => {
      for (const event of EVENTS) queue.events.off(event, follow);
      queue.events.off('interrupted', end);
      stream.stop();
    });
    // Read once more: what changed before listening began was told to others only.
    stream.tell(await queue.get(job.id));
  });
}

class EventStream {
  readonly #response: Response;
  readonly #ping: NodeJS.Timeout;
  #id: number;

  /** @param lastId the last event that an earlier connection has got: ids go on from there */
  constructor(response: Response, lastId: number) {
    this.#response = response;
    this.#id = lastId;
    response.set(STREAM_HEADERS);
    response.flushHeaders();
    this.#ping = setInterval(() => response.write(': ping\n\n'), PING_MS);
  }

  tell(job: Job): void {
    if (this.#response.writableEnded) return;
    const isEnd = hasEnded(job.status);
    if (!isEnd && this.#response.writableLength > MAX_UNSENT_BYTES) return;
    const [event, data] = isEnd ? [job.status, jobView(job)] : ['progress', progressView(job)];
    this.#response.write(`id: ${++this.#id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (isEnd) this.#response.end();
  }

  stop(): void {
    clearInterval(this.#ping);
  }
}
