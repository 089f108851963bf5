import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';

const REQUESTS_EACH = 2;
/** What cannot be worked off would only make the end longer. */
const MAX_OUTSTANDING = 60;
/** After the last start everything that was accepted has to end within this and a second for each. */
const QUIESCE_MS = 300_000;
/** The code of a job at whose side more than ten servers were killed. */
export const INTERRUPTED = 'ERR_JOB_INTERRUPTED';
/** And that of one whose worker was killed three times. */
const DUE_FAILURES: ReadonlySet<string> = new Set([INTERRUPTED, 'ERR_WORKER_CRASHED']);

/** A server that says it cannot take or tell of jobs at the moment. */
class AwayError extends Error {}

interface JobAnswer {
  readonly status: string;
  readonly code: string | null;
  readonly results: readonly { readonly index: number; readonly bytes: number; readonly sha256: string }[];
}

/** A request, in part. */
interface AskInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** What the clients remember, outside the servers that are killed. */
export class KillLedger {
  readonly accepted = new Map<string, string>();
  readonly ends = new Map<string, string>();
  readonly broken: string[] = [];
  unknown = 0;
  /** Answers that asked for patience: a caller's minute was used up, or the queue was full. */
  postponed = 0;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param headers that every request of its clients has */
  constructor(headers: Readonly<Record<string, string>> = {}) {
    this.#headers = headers;
  }

  /** Asks a server; where it answers 429, again after as long as it says. */
  async ask(url: string, { headers, ...init }: AskInit = {}): Promise<Response> {
    for (;;) {
      const response = await fetch(url, { ...init, headers: { ...headers, ...this.#headers } });
      if (response.status !== 429) return response;
      this.postponed++;
      await response.arrayBuffer();
      await sleep(1000 * Math.max(0.1, Number(response.headers.get('Retry-After'))));
    }
  }

  /** Accepted, and not seen at their end so far. */
  outstanding(): string[] {
    return [...this.accepted.keys()].filter((id) => !this.ends.has(id));
  }

  /** A job that has ended once stays as it ended. */
  sawState(id: string, { status, code, results }: JobAnswer): void {
    if (!['completed', 'failed', 'cancelled'].includes(status)) {
      if (this.ends.has(id)) this.broken.push(`${id} was ${this.ends.get(id)} and is ${status}`);
      return;
    }
    const end = `${status} ${code ?? ''} ${results.map(({ sha256 }) => sha256).join()}`;
    const before = this.ends.get(id) ?? end;
    if (before !== end) this.broken.push(`${id} was ${before} and is ${end}`);
    this.ends.set(id, end);
  }
}

/** What all clients submit. */
export function killedImage(): Promise<Buffer> {
  return sharp({ create: { width: 48, height: 32, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
}

/** One who submits and looks. */
export interface Client {
  readonly url: string;
  readonly image: Buffer;
  readonly ledger: KillLedger;
  readonly name: string;
  /** How many it submits however many jobs are outstanding; the default is all. */
  readonly always?: number;
  /** Whether servers may say that their store is away. */
  readonly mayBeAway?: boolean;
}

/** Submits a few jobs, each twice by its key, until a server is gone or `signal` aborts. */
export async function submitUntil(
  signal: AbortSignal,
  { url, image, ledger, name, always = REQUESTS_EACH, mayBeAway }: Client,
): Promise<void> {
  for (let count = 0; count < REQUESTS_EACH && !signal.aborted; count++) {
    if (count >= always && ledger.outstanding().length >= MAX_OUTSTANDING) return;
    const key = `${name}-${count}`;
    try {
      const id = await submit(url, { ledger, image, key });
      ledger.accepted.set(id, key);
      const again = await submit(url, { ledger, image, key });
      if (again !== id) ledger.broken.push(`key ${key} named ${id} and ${again}`);
      ledger.sawState(id, await jobOf(url, ledger, id));
    } catch (error) {
      const isForeseen = isLostConnection(error) || (mayBeAway === true && error instanceof AwayError);
      if (!isForeseen) ledger.broken.push(`${key}: ${String(error)}`);
      ledger.unknown++;
      return;
    }
    await sleep(60);
  }
}

/** Looks at what was accepted and has not ended, by this server or an earlier one, until it is gone or `signal` aborts. */
export async function lookUntil(signal: AbortSignal, url: string, ledger: KillLedger): Promise<void> {
  try {
    while (!signal.aborted) {
      for (const id of ledger.outstanding()) ledger.sawState(id, await jobOf(url, ledger, id));
      await sleep(60);
    }
  } catch (error) {
    if (!isLostConnection(error)) ledger.broken.push(`while it was looked at: ${String(error)}`);
  }
}

interface Submission {
  readonly ledger: KillLedger;
  readonly image: Buffer;
  readonly key: string;
}

async function submit(url: string, { ledger, image, key }: Submission): Promise<string> {
  const response = await ledger.ask(`${url}/upscale?upscaler=BICUBIC&scale=2`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png', Prefer: 'respond-async', 'Idempotency-Key': key },
    body: new Uint8Array(image),
  });
  const body = (await response.json()) as { readonly job_id: string };
  if (response.status === 503) throw new AwayError(JSON.stringify(body));
  if (response.status !== 202) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body.job_id;
}

async function jobOf(url: string, ledger: KillLedger, id: string): Promise<JobAnswer> {
  const response = await ledger.ask(`${url}/jobs/${id}`);
  if (response.status === 503) throw new AwayError(`job ${id}`);
  if (response.status !== 200) throw new Error(`job ${id} is answered with ${response.status}`);
  return (await response.json()) as JobAnswer;
}

/** Waits until everything that was accepted has ended. */
export async function quiesce(url: string, ledger: KillLedger): Promise<void> {
  const deadline = performance.now() + QUIESCE_MS + ledger.accepted.size * 1000;
  for (const [id, key] of ledger.accepted) {
    for (;;) {
      const answer = await jobOf(url, ledger, id).catch((error: unknown) => String(error));
      if (typeof answer === 'string') {
        ledger.broken.push(`lost: ${key}: ${answer}`);
        break;
      }
      ledger.sawState(id, answer);
      if (answer.status === 'failed' && !DUE_FAILURES.has(answer.code ?? ''))
        ledger.broken.push(`${key} failed: ${JSON.stringify(answer)}`);
      if (ledger.ends.has(id)) break;
      if (performance.now() > deadline) {
        ledger.broken.push(`${key} does not end: ${answer.status}`);
        break;
      }
      await sleep(50);
    }
  }
}

/** Every result is what its record says, and the same for the same request. */
export async function checkResults(url: string, ledger: KillLedger): Promise<void> {
  const images = new Set<string>();
  for (const [id, end] of ledger.ends) {
    if (!end.startsWith('completed')) continue;
    const [result] = (await jobOf(url, ledger, id)).results;
    const response = await ledger.ask(`${url}/jobs/${id}/results/0`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    images.add(sha256);
    if (response.status !== 200 || sha256 !== result?.sha256 || bytes.length !== result.bytes) {
      ledger.broken.push(`the result of ${id} is not what its record says`);
    }
  }
  if (images.size > 1) ledger.broken.push(`the same request gave ${images.size} different images`);
}

function isLostConnection(error: unknown): boolean {
  // The cause is of another realm in tests: it is no instance of their Error.
  const { cause, message } = error as Error & { readonly cause?: { readonly code?: string } };
  const code = cause?.code ?? '';
  return ['ECONNRESET', 'ECONNREFUSED', 'UND_ERR_SOCKET', 'EPIPE'].includes(code) || message === 'terminated';
}

/** Numbers that a seed brings again. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
