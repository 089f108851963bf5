import { anySignal, pause } from './abort.ts';
import { ServiceProblemError, ServiceUnreachableError } from './errors.ts';
import type { JobState } from './job-state.ts';
import { isJobState } from './job-state.ts';
import { madeKey } from './made-key.ts';
import { serverSentEvents } from './server-sent-events.ts';

/** Requests but uploads and results are answered within moments. */
const ANSWER_MS = 60_000;
/** An event stream begins with the job's state at once, and says something every 15 s; what is quieter is held back or lost. */
const FIRST_EVENT_MS = 10_000;
const SILENCE_MS = 45_000;
/** A service that is full says when to come back; it is asked again so often, if it names no longer wait than this. */
const MAX_RETRIES = 20;
const MAX_RETRY_SECONDS = 60;
/** A connection that ended: Node's `fetch` takes one that was kept while the service is closing it. Browsers try again by themselves. */
const CUT: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** How a service is reached beside its URL. */
export interface ConnectionOptions {
  /** Where the service wants a key. */
  readonly apiKey?: string | undefined;
}

/**
 * Requests to a running service, and its answers. All methods throw ServiceUnreachableError, ServiceProblemError for what the
 * service refuses, or the signal's reason.
 */
export class ServiceConnection {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param url of the service, which may lie below a path. @throws TypeError where it is none */
  constructor(url: string | URL, { apiKey }: ConnectionOptions = {}) {
    this.#base = new URL(url);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#headers = apiKey ? { 'X-API-KEY': apiKey } : {};
  }

  /**
   * Returns an answer of success only. Where the service says when to come back, it is asked again then; where the connection was cut
   * before an answer, at once, and once. A POST has a key, by which the service knows it again.
   * @param clock ends the request too; it is a service that does not answer, and not its caller, that is told then
   */
  async request(path: string, init: RequestInit = {}, clock?: AbortSignal): Promise<Response> {
    const caller = init.signal ?? undefined;
    const signal = anySignal(caller, clock);
    const key = init.method === 'POST' ? { 'Idempotency-Key': madeKey() } : {};
    const headers = { ...this.#headers, ...key, ...(init.headers as Record<string, string> | undefined) };
    const url = new URL(path, this.#base);
    const send = (): Promise<Response> => fetch(url, { ...init, headers, signal });
    for (let tries = 0; ; tries++) {
      const response = await send()
        .catch((error: unknown) => {
          if (!isCut(error) || init.body instanceof ReadableStream) throw error;
          return send();
        })
        .catch((error: unknown) => {
          throw this.failure(error, caller);
        });
      if (response.ok) return response;
      const wait = Number(response.headers.get('Retry-After') ?? NaN);
      if (!(wait >= 0 && wait <= MAX_RETRY_SECONDS) || tries === MAX_RETRIES) throw await problemOf(response);
      await response.body?.cancel();
      await pause(wait * 1000, signal).catch((error: unknown) => {
        throw this.failure(error, caller);
      });
    }
  }

  /** Asks for something short, which is answered within a minute. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return this.request(path, init, AbortSignal.timeout(ANSWER_MS));
  }

  /** The JSON of an answer, which must be what `isExpected` says. */
  async json<T>(response: Response, isExpected: (value: unknown) => value is T): Promise<T> {
    const value: unknown = await response.json().catch(() => undefined);
    if (isExpected(value)) return value;
    throw new ServiceUnreachableError(`${response.url}: expected an answer of a hiresfix service, got something else`);
  }

  /**
   * How a job stands now, and then every change until its end. Ends early, or throws, where the connection is lost, or where
   * nothing comes for so long that something between here and the service must hold it back.
   */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<JobState, void> {
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
    try {
      const init = { headers: { Accept: 'text/event-stream' }, ...(signal && { signal }) };
      const response = await this.request(`jobs/${encodeURIComponent(id)}/events`, init, silence.signal);
      for await (const { data } of serverSentEvents(watched(chunksOf(response)))) {
        const state = parseJson(data);
        if (isJobState(state)) yield state;
      }
    } catch (error) {
      throw this.failure(error, signal);
    } finally {
      clearTimeout(timer);
      silence.abort(); // closes a connection that is still open
    }
  }

  /**
   * What a failed request, or a body that broke off, is told as: `fetch failed` says nothing; its cause does.
   * @param signal of the caller, whose reason it is where that has been aborted
   */
  failure(error: unknown, signal?: AbortSignal): unknown {
    if (error instanceof ServiceUnreachableError || error instanceof ServiceProblemError) return error;
    if (signal?.aborted) return signal.reason;
    const cause = causeOf(error);
    const detail = codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
    return new ServiceUnreachableError(`${this.#base.href}: the service cannot be reached (${detail})`, {
      cause: error,
    });
  }
}

/** The body of an answer as it comes. Not every browser can iterate a stream. */
export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it has ended, or is broken
  }
}

function isCut(error: unknown): boolean {
  return CUT.has(codeOf(causeOf(error)) ?? '');
}

function causeOf(error: unknown): unknown {
  return isObject(error) && isObject(error['cause']) ? error['cause'] : error;
}

function codeOf(error: unknown): string | undefined {
  return isObject(error) && typeof error['code'] === 'string' ? error['code'] : undefined; // a DOMException has a number
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

async function problemOf(response: Response): Promise<Error> {
  const { status, statusText, url } = response;
  const text = await response.text().catch(() => '');
  const body = parseJson(text);
  const { code, detail } = isObject(body) ? body : {};
  if (typeof code === 'string' && typeof detail === 'string') return new ServiceProblemError(code, detail, status);
  return new ServiceUnreachableError(`${url}: expected a hiresfix service, got ${status} ${statusText}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
