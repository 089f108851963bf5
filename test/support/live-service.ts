import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import type { Config } from '../../app/config.ts';
import type { RunningService } from '../../app/main.ts';
import { startService } from '../../app/main.ts';
import type { ResultInfo } from '../../app/processing/result.ts';

/** What of a `progress` event tests look at. */
export interface ProgressEvent {
  readonly stage: string;
  /** From 1. */
  readonly image: number;
  readonly progress: number;
}

/** A job as `GET /jobs/{id}` has it, in part. */
export interface JobAnswer {
  readonly status: string;
  readonly code: string | null;
  readonly results: readonly { readonly index: number; readonly info: ResultInfo }[];
}

/** The whole service, with workers that are children of this process, and a caller of it. */
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

  async get(path: string): Promise<Response> {
    return fetch(`${this.#service.url}/${path}`);
  }

  /** Sends files as a form, under `files` where it is a route of batches. */
  async post(
    path: string,
    files: readonly string[],
    fields: Readonly<Record<string, string>>,
    idempotencyKey?: string,
  ): Promise<Response> {
    const form = new FormData();
    const field = path === 'jobs' ? 'files' : 'file';
    for (const file of files) form.append(field, new Blob([new Uint8Array(readFileSync(file))]), basename(file));
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
    return fetch(`${this.#service.url}/${path}`, { method: 'POST', body: form, headers });
  }

  async job(response: Response): Promise<JobAnswer> {
    return (await (await this.get(`jobs/${response.headers.get('X-Job-Id') ?? ''}`)).json()) as JobAnswer;
  }

  /** Listens to the job that will have this key; `ended` resolves at its end. */
  async follow(
    idempotencyKey: string,
    onProgress: (event: ProgressEvent) => void,
  ): Promise<{ readonly ended: Promise<unknown> }> {
    const socket = io(this.#service.url, { reconnection: false, forceNew: true });
    this.#sockets.push(socket);
    socket.on('progress', onProgress);
    const ends = ['completed', 'failed'].map((end) => new Promise((resolve) => socket.once(end, resolve)));
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await socket.emitWithAck('subscribe', { idempotency_key: idempotencyKey });
    return { ended: Promise.race(ends) };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.disconnect();
    await this.#service.close(0);
  }
}
