import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { HiresFixError } from '../../errors.ts';
import type { ImageMethodName } from '../../options/methods.ts';
import { ServerProblemError, ServerUnreachableError, UsageError } from '../errors.ts';
import type { RemoteJob } from './remote-job.ts';
import { remoteJob } from './remote-job.ts';
import { serverSentEvents } from './server-sent-events.ts';

const accepted = z.object({ job_id: z.string() });
const problem = z.object({ code: z.string(), detail: z.string() });

/** Requests but uploads and results are answered within moments. */
const ANSWER_MS = 60_000;
/** An event stream begins with the job's state at once, and says something every 15 s; what is quieter is held back or lost. */
const FIRST_EVENT_MS = 10_000;
const SILENCE_MS = 45_000;
/** A service that is full says when to come back; it is asked again so often, if it names no longer wait than this. */
const MAX_RETRIES = 20;
const MAX_RETRY_SECONDS = 60;

/** What is done with an image, as `POST /jobs` takes it. */
export interface RemoteCall {
  readonly method: ImageMethodName;
  /** The fields of the method's own route; numbers and truth values are sent as text. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A running hiresfix service as a caller sees it. All methods throw ServerUnreachableError, ServerProblemError for what the
 * service refuses, or the signal's reason.
 */
export class RemoteService {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws UsageError where `url` is not one that a service can have */
  constructor(url: string, apiKey?: string) {
    const base = URL.canParse(url) ? new URL(url) : undefined;
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
      throw new UsageError(`--server: expected a URL such as http://127.0.0.1:8001, got ${JSON.stringify(url)}`);
    }
    if (base.username !== '' || base.password !== '') {
      throw new UsageError('--server: expected a URL without a user or password; the key goes into HIRESFIX_API_KEY');
    }
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.#base = base;
    this.#headers = apiKey ? { 'X-API-KEY': apiKey } : {};
  }

  /** Hands over an image as a job of its own; returns the job's id. */
  async submit(
    { method, fields }: RemoteCall,
    image: { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string },
    signal: AbortSignal,
  ): Promise<string> {
    const body = new FormData();
    body.append('method', method);
    for (const [name, value] of Object.entries(fields)) body.append(name, String(value));
    body.append('files', new Blob([image.bytes]), image.name);
    const response = await this.#request('jobs', { method: 'POST', body }, signal);
    return (await this.#json(response, accepted)).job_id;
  }

  /** How a job stands now. */
  async job(id: string, signal: AbortSignal): Promise<RemoteJob> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    return this.#json(await this.#request(`jobs/${id}`, {}, limited), remoteJob);
  }

  /**
   * How a job stands now, and then every change until its end. Ends early, or throws, where the connection is lost, or where
   * nothing comes for so long that something between here and the service must hold it back.
   */
  async *events(id: string, signal: AbortSignal): AsyncGenerator<RemoteJob, void> {
    const silence = new AbortController();
    const lapse = (): void => silence.abort(new DOMException('the event stream is silent', 'TimeoutError'));
    let timer = setTimeout(lapse, FIRST_EVENT_MS);
    async function* watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(lapse, SILENCE_MS);
        yield chunk;
      }
    }
    const either = AbortSignal.any([signal, silence.signal]);
    try {
      const headers = { Accept: 'text/event-stream' };
      const response = await this.#request(`jobs/${id}/events`, { headers }, either);
      for await (const { data } of serverSentEvents(watched(bodyOf(response)))) {
        const parsed = remoteJob.safeParse(parseJson(data));
        if (parsed.success) yield parsed.data;
      }
    } catch (error) {
      throw this.#unreachable(error, either);
    } finally {
      clearTimeout(timer);
      silence.abort(); // closes a connection that is still open
    }
  }

  /** Writes a job's only result to `file`, and compares it with its digest. */
  async download(
    id: string,
    file: string,
    { sha256 }: { readonly sha256: string },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#request(`jobs/${id}/results/0`, {}, signal);
    const hash = createHash('sha256');
    async function* chunks(): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of bodyOf(response)) {
        hash.update(chunk);
        yield chunk;
      }
    }
    await writeFile(file, chunks(), { signal }).catch((error: unknown) => {
      throw this.#unreachable(error, signal);
    });
    if (hash.digest('hex') === sha256) return;
    throw new ServerUnreachableError(`${this.#base.href}: the result did not arrive as it was made; try again`);
  }

  /** Calls a job off; one that has ended stays as it is. */
  async cancel(id: string): Promise<void> {
    await this.#request(`jobs/${id}`, { method: 'DELETE' }, AbortSignal.timeout(ANSWER_MS));
  }

  /** Returns an answer of success only. Where the service says when to come back, it is asked again then. */
  async #request(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    for (let tries = 0; ; tries++) {
      const response = await fetch(new URL(path, this.#base), { ...init, headers, signal }).catch((error: unknown) => {
        throw this.#unreachable(error, signal);
      });
      if (response.ok) return response;
      const wait = Number(response.headers.get('Retry-After') ?? NaN);
      if (!(wait >= 0 && wait <= MAX_RETRY_SECONDS) || tries === MAX_RETRIES) throw await this.#problem(response);
      await response.body?.cancel();
      await pause(wait * 1000, undefined, { signal });
    }
  }

  async #json<T extends z.ZodType>(response: Response, schema: T): Promise<z.output<T>> {
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new ServerUnreachableError(`${response.url}: expected an answer of a hiresfix service, got something else`);
  }

  async #problem(response: Response): Promise<Error> {
    const text = await response.text().catch(() => '');
    const parsed = problem.safeParse(parseJson(text));
    if (parsed.success) return new ServerProblemError(parsed.data.code, parsed.data.detail);
    const { status, statusText, url } = response;
    return new ServerUnreachableError(`${url}: expected a hiresfix service, got ${status} ${statusText}`);
  }

  /** `fetch failed` says nothing; its cause does. */
  #unreachable(error: unknown, signal: AbortSignal): unknown {
    if (error instanceof HiresFixError) return error;
    if (signal.aborted && !isTimeout(signal.reason)) return signal.reason;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const detail = code ?? (cause instanceof Error ? cause.message : String(cause));
    return new ServerUnreachableError(`${this.#base.href}: the service cannot be reached (${detail})`, {
      cause: error,
    });
  }
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  return (response.body ?? []) as AsyncIterable<Uint8Array>;
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
