import { randomUUID } from 'node:crypto';
import type { Logger } from '../../logger.ts';
import {
  IdempotencyKeyReusedError,
  JobFinishedError,
  JobNotEndedError,
  JobNotFoundError,
  NotAcceptingError,
  StoreUnavailableError,
} from '../errors.ts';
import type { Job, JobHandler, JobPage, JobRequest, Submission } from '../job.ts';
import { hasEnded } from '../job.ts';
import type { JobEvents } from '../job-events.ts';
import { ProgressThrottle } from '../job-events.ts';
import type { JobFiles } from '../job-files.ts';
import type { Admission, CallerKey, JobCounts, JobQueue, PlaceLimits } from '../job-queue.ts';
import { KEPT_JOBS, MAX_DOWNLOADS, MAX_TOLD_POSITIONS } from '../job-queue.ts';
import { HeardEvents } from './heard-events.ts';
import { JobRuns } from './job-runs.ts';
import { JobStore } from './job-store.ts';
import { Leavings } from './leavings.ts';
import type { Line } from './lines.ts';
import { lineOf, LINES } from './lines.ts';
import { RedisLink } from './redis-link.ts';
import { RunningEndings } from './running-endings.ts';
import type { LeaseTimes } from './tickets.ts';
import { ticketKeys, Tickets } from './tickets.ts';

export const PREFIX = '{hiresfix}:';
const LEASE: LeaseTimes = { leaseMs: 10_000, stalledCheckMs: 3000 };
const BEAT_MS = 1000;
const SWEEP_MS = 5000;
/** The first may come before the connection that was lost hears again. */
const CATCH_UPS = 2;

export interface BullJobQueueOptions extends PlaceLimits {
  readonly redisUrl: string;
  readonly files: JobFiles;
  readonly logger: Logger;
  /** Jobs on images that run at once on this server. */
  readonly workers: number;
  readonly keptJobs?: number;
  /** What every key in Redis begins with. */
  readonly prefix?: string;
  readonly lease?: LeaseTimes;
}

/** What there is between `start` and `close`. */
interface Opened {
  readonly tickets: Readonly<Record<Line, Tickets>>;
  readonly runs: JobRuns;
  readonly timers: readonly NodeJS.Timeout[];
}

/** Jobs of any number of servers, kept in Redis; BullMQ says which server runs the next. */
export class BullJobQueue implements JobQueue {
  readonly #options: BullJobQueueOptions;
  readonly #prefix: string;
  readonly #server = randomUUID();
  readonly #link: RedisLink;
  readonly #store: JobStore;
  readonly #leavings: Leavings;
  readonly #heard: HeardEvents;
  readonly #positions = new ProgressThrottle(() => this.#tellPositions(), 1);
  readonly #endings = new RunningEndings();
  readonly #starting = new AbortController();
  /** How often what was not heard has still to be asked for. */
  #catchUps = 0;
  #opened: Opened | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: BullJobQueueOptions) {
    const { redisUrl: url, files, logger, prefix = PREFIX } = options;
    this.#options = options;
    this.#prefix = prefix;
    this.#link = new RedisLink({ url, prefix, logger });
    this.#store = new JobStore(this.#link, files, options);
    this.#leavings = new Leavings(files, logger);
    this.#heard = new HeardEvents({
      files,
      beforeEnd: (job) => {
        this.#opened?.runs.abort(job.id);
        return this.#endings.of(job.id);
      },
    });
  }

  get events(): JobEvents {
    return this.#heard.events;
  }

  get isAccepting(): boolean {
    return this.#state === 'open' && this.#link.isReady;
  }

  /** Waits for Redis, if it has to. */
  async start(handler: JobHandler): Promise<void> {
    const { workers, logger, files, lease = LEASE } = this.#options;
    await this.#link.connect(this.#starting.signal);
    await this.#link.warnOfSettings();
    const runs = new JobRuns({
      store: this.#store,
      handler,
      files,
      logger,
      ending: (id, work) => this.#endings.run(id, work),
      onSettled: (job) => this.#settle(job),
      onInterrupted: (job) => this.#heard.publish('interrupted', job),
      onMoved: () => this.#positions.changed(''),
    });
    const ticketsOf = (line: Line, most: number): Tickets =>
      new Tickets({ ...lease, link: this.#link, prefix: this.#prefix, line, workers: most, logger }, (ticket) =>
        runs.use(ticket, line),
      );
    const tickets = {
      images: ticketsOf('images', workers),
      downloads: ticketsOf('downloads', workers > 0 ? MAX_DOWNLOADS : 0),
    };
    const quietly = (work: () => Promise<void>) => (): void => void this.#quietly(work);
    await this.#link.listen(
      (message) => this.#heard.receive(message),
      () => (this.#catchUps = CATCH_UPS),
    );
    await this.#heard.catchUp(this.#store);
    await this.#heartbeat(runs);
    await this.#sweep(tickets);
    const timers = [
      setInterval(
        quietly(() => this.#heartbeat(runs)),
        BEAT_MS,
      ),
      setInterval(
        quietly(() => this.#sweep(tickets)),
        SWEEP_MS,
      ),
    ];
    this.#opened = { tickets, runs, timers };
    this.#state = 'open';
    for (const line of LINES) tickets[line].open();
    logger.info('jobs are shared by Redis', { ...(await this.counts()) });
  }

  async admit(admission: Admission): Promise<void> {
    this.#assertAccepting();
    await this.#store.admit(admission);
  }

  async submit(request: JobRequest): Promise<Submission> {
    const { files } = this.#options;
    try {
      this.#assertAccepting();
      await files.syncInputs(request);
      const { outcome, job } = await this.#store.submit(request);
      if (outcome === 'reused') throw new IdempotencyKeyReusedError(job.id);
      if (outcome === 'replay') await files.removeInputs(request);
      // A ticket that could not be added is added by the next sweep of any server.
      else void this.#quietly(() => this.#opened?.tickets[lineOf(request)].add());
      return { job, isReplay: outcome === 'replay' };
    } catch (error) {
      // A job that may have been accepted needs its files; if it was not, the janitor finds them.
      const mayBeNeeded = error instanceof StoreUnavailableError && error.isUncertain;
      if (!mayBeNeeded) await files.removeInputs(request);
      throw error;
    }
  }

  async get(id: string): Promise<Job> {
    this.#assertStarted();
    const [recorded] = await this.#store.read([id]);
    if (!recorded) throw new JobNotFoundError(id);
    return this.#opened?.runs.newest(recorded) ?? recorded.job;
  }

  async findByKey(key: CallerKey): Promise<Job | undefined> {
    this.#assertStarted();
    const recorded = await this.#store.find(key);
    return recorded && (this.#opened?.runs.newest(recorded) ?? recorded.job);
  }

  async list(page: Parameters<JobQueue['list']>[0]): Promise<JobPage> {
    this.#assertStarted();
    const found = await this.#store.list(page);
    if (!found) throw new JobNotFoundError(page.after ?? '');
    const jobs = found.jobs.map((recorded) => this.#opened?.runs.newest(recorded) ?? recorded.job);
    const last = jobs.at(-1);
    return found.hasMore && last ? { jobs, next: last.id } : { jobs };
  }

  async counts(): Promise<JobCounts> {
    const { queued, processing } = await this.#store.counts();
    return { queued, processing };
  }

  async cancel(id: string): Promise<Job> {
    this.#assertStarted();
    const job = await this.#endings.run(id, async () => {
      const ended = await this.#store.end({ id }, { status: 'cancelled' });
      if (!ended) throw new JobNotFoundError(id);
      if (ended.outcome === 'lost') throw new JobFinishedError(id, ended.job.status);
      this.#opened?.runs.abort(id);
      if (ended.outcome === 'ended') await this.#settle(ended.job);
      return ended.job;
    });
    this.#positions.changed('');
    return job;
  }

  async remove(id: string): Promise<void> {
    const { status } = await this.get(id);
    const [removed] = hasEnded(status) ? await this.#store.remove(id) : [];
    if (!removed) throw new JobNotEndedError(id, status);
    await this.#leavings.removeResults([id]);
    this.#heard.publish('removed', removed.job);
  }

  async expire(ageMs: number): Promise<number> {
    this.#assertStarted();
    const { files } = this.#options;
    const ids = await this.#store.expire(ageMs, files.beingRead);
    await this.#leavings.removeResults(ids);
    return ids.length;
  }

  async close(drainMs = 0): Promise<void> {
    const opened = this.#opened;
    this.#state = 'closed';
    this.#starting.abort(new NotAcceptingError());
    if (opened) await this.#closeOpened(opened, drainMs);
    this.#positions.close();
    this.#heard.close();
    this.#link.close();
  }

  /** Others go on with what waits; whoever waits here for an end is told not to. */
  async #closeOpened({ tickets, runs, timers }: Opened, drainMs: number): Promise<void> {
    const own = new Set(runs.names().map(({ id }) => id));
    const tellOthers = async (status: 'queued' | 'processing'): Promise<void> => {
      const live = (await this.#store.live()).filter(({ job }) => job.status === status && !own.has(job.id));
      for (const { job } of live) this.#heard.publish('interrupted', job);
    };
    const stopped = runs.close(drainMs);
    for (const line of LINES) await this.#quietly(() => tickets[line].stop());
    await this.#quietly(() => tellOthers('queued'));
    await stopped;
    for (const timer of timers) clearInterval(timer);
    await this.#quietly(() => tellOthers('processing'));
    await this.#quietly(() => this.#sweep(tickets));
    await this.#quietly(() => this.#store.leave(this.#server));
    await Promise.all(LINES.map((line) => tickets[line].close()));
  }

  #assertStarted(): void {
    if (this.#state === 'new') throw new NotAcceptingError();
  }

  #assertAccepting(): void {
    if (this.#state !== 'open') throw new NotAcceptingError();
  }

  /** Says that this server lives, hears which of its runs are others' by now, and asks for what it has missed. */
  async #heartbeat(runs: JobRuns): Promise<void> {
    const { workers, files } = this.#options;
    const heartbeat = { server: this.#server, workers, runs: runs.names(), reading: files.beingRead };
    for (const id of await this.#store.heartbeat(heartbeat)) runs.abort(id);
    if (this.#catchUps === 0) return;
    await this.#heard.catchUp(this.#store);
    this.#catchUps--;
  }

  /** Makes up for tickets that were lost between two steps. */
  async #sweep(tickets: Opened['tickets']): Promise<void> {
    for (const { job } of await this.#store.reclaim(ticketKeys(this.#prefix))) await this.#settle(job);
    const { lines } = await this.#store.counts();
    for (const line of LINES) await tickets[line].topUp(lines[line]);
  }

  #tellPositions(): void {
    void this.#quietly(() => this.#store.tellPositions(MAX_TOLD_POSITIONS));
  }

  /** Removes what a job that was ended here needs no more. */
  async #settle(job: Job): Promise<void> {
    await this.#leavings.clear(job);
    this.#heard.publish('settled', job);
    void this.#quietly(async () =>
      this.#leavings.removeResults(await this.#store.evict(this.#options.keptJobs ?? KEPT_JOBS)),
    );
  }

  /** What fails now is done by the next round, or by another server. */
  async #quietly(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { message } = error as Error;
      this.#options.logger.debug('left to the next round', { reason: message });
    }
  }
}
