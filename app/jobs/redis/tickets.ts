import type { Job as Ticket } from 'bullmq';
import { Queue, Worker } from 'bullmq';
import type { Logger } from '../../logger.ts';
import type { Line } from './lines.ts';
import type { RedisLink } from './redis-link.ts';
import { textOf } from './redis-link.ts';

/** What the names of BullMQ's queues begin with. */
const NAME = 'tickets-';
const TICKET_OPTIONS = { removeOnComplete: true, removeOnFail: true };
/** A ticket comes back as often as it has to: how often a job is tried is counted with the job. */
const ANY_NUMBER = 1_000_000;
const CLOSE_TIMEOUT_MS = 3000;

export interface LeaseTimes {
  /** How long a server that says nothing keeps its tickets. */
  readonly leaseMs: number;
  /** How often is looked for such tickets. */
  readonly stalledCheckMs: number;
}

export interface TicketsOptions extends LeaseTimes {
  readonly link: RedisLink;
  readonly prefix: string;
  readonly line: Line;
  /** How many this server uses at once; none where it only accepts jobs. */
  readonly workers: number;
  readonly logger: Logger;
}

/**
 * Permissions to run one job of a line, in BullMQ: each is held by one server at a time, and comes back when that server is gone. Which job
 * it is for is decided when it is taken, so that callers take turns; a ticket too many does no harm, and one too few is made
 * up for.
 */
export class Tickets {
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #isUser: boolean;

  /** @param use is called with a ticket's name by as many at once as there are workers, from `open` on; must not reject */
  constructor(
    { link, prefix, line, workers, leaseMs, stalledCheckMs, logger }: TicketsOptions,
    use: (ticket: string) => Promise<void>,
  ) {
    this.#logger = logger;
    this.#isUser = workers > 0;
    const bullPrefix = prefix.replace(/:$/, '');
    this.#queue = new Queue(NAME + line, { connection: link.commands, prefix: bullPrefix });
    this.#worker = new Worker(NAME + line, ({ id = '' }: Ticket) => use(`${line}:${id}`), {
      connection: link.waiting(),
      prefix: bullPrefix,
      autorun: false,
      concurrency: Math.max(1, workers),
      lockDuration: leaseMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: ANY_NUMBER,
      runRetryDelay: 1000,
    });
    const report = (error: Error): void => void logger.debug('tickets', { reason: textOf(error) });
    this.#queue.on('error', report);
    this.#worker.on('error', report);
  }

  open(): void {
    if (!this.#isUser) return;
    this.#worker
      .run()
      .catch((error: unknown) => this.#logger.error('no more jobs are taken', { reason: textOf(error) }));
  }

  /** Sees to it that as many tickets wait as jobs do. */
  async topUp(waiting: number): Promise<void> {
    const missing = waiting - (await this.#queue.getWaitingCount());
    if (missing > 0)
      await this.#queue.addBulk(
        Array.from({ length: missing }, () => ({ name: '', data: null, opts: TICKET_OPTIONS })),
      );
  }

  async add(): Promise<void> {
    await this.#queue.add('', null, TICKET_OPTIONS);
  }

  /** Takes no more; what was taken goes on. */
  async stop(): Promise<void> {
    await this.#worker.pause(true);
  }

  /** Waits for those that are being used, but not for a Redis that is away. */
  async close(): Promise<void> {
    const closed = this.#worker.close().then(() => this.#queue.close());
    closed.catch(() => undefined);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())]);
  }
}

/** What the key of a ticket begins with in Redis; its name follows. */
export function ticketKeys(prefix: string): string {
  return prefix + NAME;
}
