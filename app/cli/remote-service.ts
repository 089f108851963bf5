import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ServerProblemError, ServerUnreachableError, UsageError } from './errors.ts';

/** What is needed of a job's view (`GET /jobs/{id}`). */
const remoteJob = z.object({
  status: z.enum(['queued', 'processing', 'completed', 'failed', 'cancelled']),
  stage: z.string(),
  progress: z.number(),
  stage_progress: z.number(),
  tile: z.number().nullish(),
  tiles: z.number().nullish(),
  downloaded_bytes: z.number().nullish(),
  total_bytes: z.number().nullish(),
  error: z.string().nullish(),
  code: z.string().nullish(),
  results: z.array(
    z.object({
      bytes: z.number(),
      sha256: z.string(),
      info: z.looseObject({ format: z.enum(['png', 'jpeg', 'webp', 'avif', 'tiff']) }),
    }),
  ),
});
export type RemoteJob = z.output<typeof remoteJob>;

const accepted = z.object({ job_id: z.string() });
const problem = z.object({ code: z.string(), detail: z.string() });

/** Requests but uploads and results are answered within moments. */
const ANSWER_MS = 60_000;
/** A service that is full says when to come back; this often it is believed, and for so long. */
const MAX_RETRIES = 20;
const MAX_RETRY_SECONDS = 60;

/** A running service of this kind, as a caller sees it. Errors: ServerUnreachableError, ServerProblemError, the signal's reason. */
export class RemoteService {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws UsageError where `url` is none */
  constructor(url: string, apiKey?: string) {
    const base = URL.canParse(url) ? new URL(url) : undefined;
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
      throw new UsageError(`--server: expected a URL such as http://127.0.0.1:8001, got ${JSON.stringify(url)}`);
    }
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.#base = base;
    this.#headers = apiKey ? { 'X-API-KEY': apiKey } : {};
  }

  /** Hands over an image to be upscaled; returns the job's id. */
  async submit(
    image: { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string },
    fields: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<string> {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append('file', new Blob([image.bytes]), image.name);
    const response = await this.#request(
      'upscale',
      { method: 'POST', body, headers: { Prefer: 'respond-async' } },
      signal,
    );
    return (await this.#json(response, accepted)).job_id;
  }

  async job(id: string, signal: AbortSignal): Promise<RemoteJob> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    return this.#json(await this.#request(`jobs/${id}`, {}, limited), remoteJob);
  }

  /** Writes a job's only result to `file`, and holds it against its digest. */
  async download(
    id: string,
    file: string,
    { sha256 }: { readonly sha256: string },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#request(`jobs/${id}/results/0`, {}, signal);
    const hash = createHash('sha256');
    async function* chunks(): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
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

  async cancel(id: string): Promise<void> {
    await this.#request(`jobs/${id}`, { method: 'DELETE' }, AbortSignal.timeout(ANSWER_MS));
  }

  /** An answer that is none of a problem; one that says when to come back is asked again then. */
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
    if (signal.aborted && !isTimeout(signal.reason)) return signal.reason;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const detail = code ?? (cause instanceof Error ? cause.message : String(cause));
    return new ServerUnreachableError(`${this.#base.href}: the service cannot be reached (${detail})`, {
      cause: error,
    });
  }
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
