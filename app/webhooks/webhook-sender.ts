import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { jobView } from '../jobs/job-view.ts';
import type { Logger } from '../logger.ts';
import { PrivateAddressError } from '../outbound/errors.ts';
import type { LookupGuard } from '../outbound/guarded-lookup.ts';
import { guardedLookup } from '../outbound/guarded-lookup.ts';
import { isPrivateAddress } from '../outbound/private-address.ts';
import { signatureHeaders } from './signature.ts';

/** Before the second and later tries. */
const RETRY_DELAYS_MS = [2000, 15_000, 60_000, 300_000];
const ANSWER_TIMEOUT_MS = 10_000;
const CLOSING_MS = 2000;
const CONNECTIONS = { maxSockets: 4, maxTotalSockets: 16 };
/** What a receiver says that does not want to hear of it any more. */
const GONE = 410;

export interface WebhookSenderOptions extends LookupGuard {
  readonly queue: JobQueue;
  readonly logger: Logger;
  readonly secret: string;
  readonly retryDelaysMs?: readonly number[];
}

/**
 * Tells the URL that came with a job of its end: a signed POST, five tries. Redirects are not followed, answers are not
 * read, addresses on private networks are not connected to. What has not been delivered when the service stops is lost.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  /** Ends waiting for another try. */
  readonly #closing = new AbortController();
  /** Ends a try itself. */
  readonly #cut = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #agents = { 'http:': new HttpAgent(CONNECTIONS), 'https:': new HttpsAgent(CONNECTIONS) };

  /** Sends from now on. */
  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    options.queue.events.on('settled', (job) => this.#ended(job));
  }

  /** Finishes the tries that are on their way, within two seconds, and makes no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    const timer = setTimeout(() => this.#cut.abort(), CLOSING_MS);
    await Promise.all(this.#deliveries);
    clearTimeout(timer);
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #ended(job: Job): void {
    const { webhookUrl } = job;
    if (webhookUrl === undefined || this.#isClosing()) return;
    const delivery = this.#deliver(job, new URL(webhookUrl)).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }

  /** Never rejects. The URL may hold a secret of its receiver's: it is not logged. */
  async #deliver(job: Job, url: URL): Promise<void> {
    const { logger, retryDelaysMs = RETRY_DELAYS_MS } = this.#options;
    const sentAt = new Date().toISOString();
    const body = JSON.stringify({ type: `job.${job.status}`, timestamp: sentAt, data: jobView(job) });
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(url, { id: `msg_${job.id}`, body });
      const mayRetry = attempt <= retryDelaysMs.length && !this.#isClosing();
      const isOver = outcome.isDelivered || outcome.isFinal || !mayRetry;
      const told = { job_id: job.id, attempt, answer: outcome.answer, will_retry: !isOver };
      if (outcome.isDelivered) logger.info('webhook delivered', told);
      else logger.warn('webhook not delivered', told);
      if (isOver) return;
      await this.#wait(retryDelaysMs[attempt - 1] ?? 0);
      if (this.#isClosing()) return;
    }
  }

  async #try(url: URL, message: { readonly id: string; readonly body: string }): Promise<DeliveryOutcome> {
    try {
      const status = await this.#post(url, message);
      return { answer: String(status), isDelivered: status >= 200 && status < 300, isFinal: status === GONE };
    } catch (error) {
      const { code = 'no answer' } = error as { readonly code?: string };
      return { answer: code, isDelivered: false, isFinal: error instanceof PrivateAddressError };
    }
  }

  /** The status of the answer; its body is not read. */
  #post(url: URL, { id, body }: { readonly id: string; readonly body: string }): Promise<number> {
    const { secret, isPrivate = isPrivateAddress } = this.#options;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // An address is connected to without being looked up.
    if (isIP(host) && isPrivate(host)) throw new PrivateAddressError(host);
    const isSecure = url.protocol === 'https:';
    const timestamp = Math.floor(Date.now() / 1000);
    const options = {
      method: 'POST',
      agent: this.#agents[isSecure ? 'https:' : 'http:'],
      lookup: guardedLookup(this.#options),
      signal: AbortSignal.any([this.#cut.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      headers: {
        ...signatureHeaders({ id, timestamp, body }, secret),
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'User-Agent': 'hiresfix',
      },
    };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
        response.destroy();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject).end(body);
    });
  }

  /** Waits, a little longer or shorter so that many that failed together do not come back together. */
  async #wait(ms: number): Promise<void> {
    const jittered = ms * (0.8 + 0.4 * Math.random());
    await sleep(jittered, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
  }
}

interface DeliveryOutcome {
  /** A status or the code of an error, for the log. */
  readonly answer: string;
  readonly isDelivered: boolean;
  /** Whether trying again makes no sense. */
  readonly isFinal: boolean;
}
