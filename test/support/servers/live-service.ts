import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import request from 'supertest';
import type { Config } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import type { ResultInfo } from '../../../app/processing/result.ts';

/** What of a `progress` event tests look at. */
export interface ProgressEvent {
  readonly stage: string;
  /** From 1. */
  readonly image: number;
  readonly progress: number;
}

/** A job as `GET /jobs/{id}` has it, in part. */
export interface JobAnswer {
  readonly job_id: string;
  readonly status: string;
  readonly error: string | null;
  readonly code: string | null;
  readonly results: readonly { readonly index: number; readonly info: ResultInfo }[];
}

/** The whole service, with workers that are children of this process, and a caller of it who has all the time in the world. */
export class LiveService {
  readonly #service: RunningService;
  readonly #sockets: Socket[] = [];

  private constructor(service: RunningService) {
    this.#service = service;
  }

  /** On a free port. */
  static async start(config: Config): Promise<LiveService> {
    return new LiveService(await startService({ ...config, port: 0 }));
  }

  get url(): string {
    return this.#service.url;
  }

  /** Sends files as a form to a route, and returns the job when it has ended. */
  async run(
    path: string,
    files: readonly string[],
    fields: Readonly<Record<string, string>>,
    idempotencyKey = '',
  ): Promise<JobAnswer> {
    const call = request(this.#service.url)
      .post(`/${path}`)
      .set('Prefer', 'respond-async')
      .field({ ...fields });
    if (idempotencyKey !== '') call.set('Idempotency-Key', idempotencyKey);
    for (const file of files) call.attach(path === 'jobs' ? 'files' : 'file', file);
    const { job_id: id } = (await call).body as { job_id: string };
    await request(this.#service.url).get(`/jobs/${id}/events`); // it ends when the job does
    return (await request(this.#service.url).get(`/jobs/${id}`)).body as JobAnswer;
  }

  /** The bytes of a result, and their media type. */
  async result({ job_id: id }: JobAnswer, index = 0): Promise<{ readonly bytes: Buffer; readonly type: string }> {
    const response = await request(this.#service.url).get(`/jobs/${id}/results/${index}`).responseType('blob');
    return { bytes: response.body as Buffer, type: response.type };
  }

  async metrics(): Promise<string> {
    return (await request(this.#service.url).get('/metrics')).text;
  }

  /** Listens to the job that will have this key. */
  async follow(idempotencyKey: string, onProgress: (event: ProgressEvent) => void): Promise<void> {
    const socket = io(this.#service.url, { reconnection: false, forceNew: true });
    this.#sockets.push(socket);
    socket.on('progress', onProgress);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await socket.emitWithAck('subscribe', { idempotency_key: idempotencyKey });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.disconnect();
    await this.#service.close(0);
  }
}
