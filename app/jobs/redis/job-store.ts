import { CallerQueueFullError, JobInterruptedError, QueueFullError } from '../errors.ts';
import type { EndStatus, JobError, JobRequest } from '../job.ts';
import type { JobFiles } from '../job-files.ts';
import type { Admission, CallerKey, JobCounts, JobQueue } from '../job-queue.ts';
import type { WorkProgress } from '../../processing/progress.ts';
import type { JobPace } from '../service-rate.ts';
import { MAX_RESTARTS } from '../job-queue.ts';
import type { PlaceLimits } from '../job-queue.ts';
import type { JobOutcome } from '../run-job.ts';
import type { JobRecord, RecordedJob } from './job-record.ts';
import { keyRecord, outcomeRecord, rateOf, requestRecord, recordedJob } from './job-record.ts';
import type { Script } from './job-scripts.ts';
import * as scripts from './job-scripts.ts';
import type { Line } from './lines.ts';
import { lineOf } from './lines.ts';
import type { RedisLink } from './redis-link.ts';

/** A run of a job: what is written by it counts only while it is the newest. */
export interface RunName {
  readonly id: string;
  readonly run: string;
}

/** What a server says of itself. */
export interface Heartbeat {
  readonly server: string;
  readonly workers: number;
  readonly runs: readonly RunName[];
  /** Ids of jobs whose results are being read. */
  readonly reading: readonly string[];
}

/** A server that has said nothing for so long is not counted any more. */
const SERVER_LIFE_MS = 10_000;
/** Jobs that one step reads at most: others wait while it does. */
const MAX_READ = 200;

/** The jobs of all servers, in Redis. Each method is one step that nothing comes between; all throw `StoreUnavailableError`. */
export class JobStore {
  readonly #link: RedisLink;
  readonly #files: JobFiles;
  readonly #limits: readonly [number, number];

  constructor(link: RedisLink, files: JobFiles, { maxQueue, maxQueuePerCaller = maxQueue }: PlaceLimits) {
    this.#link = link;
    this.#files = files;
    this.#limits = [maxQueue, maxQueuePerCaller];
  }

  /** @throws QueueFullError, CallerQueueFullError */
  async admit({ caller, idempotencyKey: key }: Admission): Promise<void> {
    const name = key === undefined ? '' : keyRecord({ caller, key });
    const refusal = await this.#link.run(scripts.ADMIT, [caller, name, ...this.#limits]);
    if (refusal !== null) throw refusalOf(refusal as Answer);
  }

  /** Throws what `admit` throws. `reused` is another request's key. */
  async submit(request: JobRequest): Promise<RecordedJob & { readonly outcome: 'accepted' | 'replay' | 'reused' }> {
    const { id, caller, idempotency } = request;
    const [name, fingerprint] = idempotency
      ? [keyRecord({ caller, key: idempotency.key }), idempotency.fingerprint]
      : ['', ''];
    const args = [id, caller, requestRecord(request), name, fingerprint, ...this.#limits, lineOf(request)];
    const answer = (await this.#link.run(scripts.SUBMIT, args)) as Answer;
    const [outcome] = answer;
    if (outcome !== 'accepted' && outcome !== 'replay' && outcome !== 'reused') throw refusalOf(answer);
    return { outcome, ...this.#record(answer[1] as JobRecord) };
  }

  /**
   * The job that the holder of a ticket is to run; `ended` is one that has just failed because its servers stopped too often.
   * @param nonce of one call: asked again with it, the answer is the same
   */
  async take(
    ticket: string,
    line: Line,
    nonce: string,
  ): Promise<(RecordedJob & { readonly outcome: 'run' | 'ended' }) | undefined> {
    const [outcome, record] = await this.#answer(scripts.TAKE, [ticket, line, nonce, INTERRUPTED]);
    if (outcome === 'none' || !record) return undefined;
    return { outcome: outcome === 'run' ? 'run' : 'ended', ...this.#record(record) };
  }

  /** Stores that another attempt begins; its time, or undefined where the run is over. */
  async begin({ id, run }: RunName, crashes: number, attempt: number): Promise<number | undefined> {
    const startedAt = Number(await this.#link.run(scripts.BEGIN, [id, run, crashes, attempt]));
    return startedAt === 0 ? undefined : startedAt;
  }

  /** Stores and tells how far a job is. Whether its run goes on. */
  async report({ id, run }: RunName, job: Pick<RecordedJob['job'], 'progress' | 'failures'>): Promise<boolean> {
    const said = [JSON.stringify(job.progress), JSON.stringify(job.failures)];
    return (await this.#link.run(scripts.REPORT, [id, run, ...said])) === 1;
  }

  /**
   * Ends a job by a run of it, or whatever runs. `ended` is by this call; `again` is that it had ended so before; `lost` is that it
   * had ended otherwise, or is another run's.
   */
  async end(
    { id, run }: { readonly id: string; readonly run?: string },
    outcome: JobOutcome & { readonly status: EndStatus },
  ): Promise<(RecordedJob & { readonly outcome: 'ended' | 'again' | 'lost' }) | undefined> {
    const args = [id, run ?? '', outcome.status, ...outcomeRecord(outcome)];
    const [what, record] = await this.#answer(scripts.END, args);
    return record && { outcome: what as 'ended' | 'again' | 'lost', ...this.#record(record) };
  }

  /** Gives a job back, which goes on as the next of all; `ended` is one that has been given back too often. */
  async release({ id, run }: RunName): Promise<RecordedJob & { readonly outcome: 'queued' | 'ended' | 'lost' }> {
    const [what, record] = await this.#answer(scripts.RELEASE, [id, run, INTERRUPTED]);
    return { outcome: what as 'queued' | 'ended' | 'lost', ...this.#record(record ?? []) };
  }

  /** Gives back what runs by a ticket that is no more; those that have failed by it. */
  async reclaim(ticketPrefix: string): Promise<readonly RecordedJob[]> {
    const ended = (await this.#link.run(scripts.RECLAIM, [INTERRUPTED, ticketPrefix])) as readonly JobRecord[];
    return ended.map((record) => this.#record(record));
  }

  /** Says that a server lives; ids of its runs that are over. */
  async heartbeat({ server, workers, runs, reading }: Heartbeat): Promise<readonly string[]> {
    const names = runs.flatMap(({ id, run }) => [id, run]);
    const args = [server, workers, SERVER_LIFE_MS, runs.length, ...names, ...reading];
    return (await this.#link.run(scripts.BEAT, args)) as readonly string[];
  }

  async leave(server: string): Promise<void> {
    await this.#link.run(scripts.LEAVE, [server]);
  }

  /** Those that are known. */
  async read(ids: readonly string[]): Promise<readonly RecordedJob[]> {
    const jobs: RecordedJob[] = [];
    for (let start = 0; start < ids.length; start += MAX_READ) {
      const some = (await this.#link.run(scripts.READ, ids.slice(start, start + MAX_READ))) as readonly JobRecord[];
      jobs.push(...some.map((record) => this.#record(record)));
    }
    return jobs;
  }

  async find(key: CallerKey): Promise<RecordedJob | undefined> {
    const record = (await this.#link.run(scripts.FIND, [keyRecord(key)])) as JobRecord | null;
    return record ? this.#record(record) : undefined;
  }

  /** Undefined where the job after which the page begins is not known. */
  async list({
    limit,
    after = '',
    caller = '',
  }: Parameters<JobQueue['list']>[0]): Promise<{ hasMore: boolean; jobs: readonly RecordedJob[] } | undefined> {
    const answer = (await this.#link.run(scripts.LIST, [limit, caller, after])) as [number, JobRecord[]] | null;
    return answer ? { hasMore: answer[0] === 1, jobs: answer[1].map((one) => this.#record(one)) } : undefined;
  }

  /** How many wait in each line, too. */
  async counts(): Promise<JobCounts & { readonly lines: Readonly<Record<Line, number>> }> {
    const [processing = 0, images = 0, downloads = 0] = (await this.#link.run(scripts.COUNTS, [])) as number[];
    return { queued: images + downloads, processing, lines: { images, downloads } };
  }

  /** All that has not ended. */
  async live(): Promise<readonly RecordedJob[]> {
    return this.read((await this.#link.run(scripts.LIVE, [])) as string[]);
  }

  /** Tells of the first that wait where they stand. */
  async tellPositions(most: number): Promise<void> {
    await this.#link.run(scripts.TELL_POSITIONS, [most]);
  }

  /** Forgets jobs that ended longer ago than `ageMs` by the clock of Redis, but for those that are read; their ids. */
  async expire(ageMs: number, reading: readonly string[]): Promise<readonly string[]> {
    return (await this.#link.run(scripts.EXPIRE, [Math.ceil(ageMs), ...reading])) as string[];
  }

  /** Forgets a job, if it has ended; how it stood then. */
  async remove(id: string): Promise<readonly RecordedJob[]> {
    return ((await this.#link.run(scripts.REMOVE, [id])) as readonly JobRecord[]).map((record) => this.#record(record));
  }

  /** Forgets the oldest of those that have ended, where they are more; their ids. */
  async evict(most: number): Promise<readonly string[]> {
    return (await this.#link.run(scripts.EVICT, [most])) as string[];
  }

  async #answer(script: Script, args: readonly (string | number)[]): Promise<readonly [string, JobRecord?]> {
    return (await this.#link.run(script, args)) as [string, JobRecord?];
  }

  #record(record: JobRecord): RecordedJob {
    return recordedJob(record, this.#files);
  }
}

type Answer = readonly [string, ...unknown[]];

/** What a job that is given back once more fails by. */
const INTERRUPTED = ((): string => {
  const { code, message } = new JobInterruptedError(MAX_RESTARTS + 1);
  const error: JobError = { code, message };
  return JSON.stringify(error);
})();

function refusalOf([kind, waiting, mean, workers, paces]: Answer): Error {
  const seconds = rateOf(String(workers), String(mean)).secondsUntilFree(pacesIn(paces as readonly string[]));
  return kind === 'full'
    ? new QueueFullError(Number(waiting), seconds)
    : new CallerQueueFullError(Number(waiting), seconds);
}

/** Jobs that run, from what a script tells of them: when each began, in ms, and its progress as JSON, by turns. */
function pacesIn(told: readonly string[]): readonly JobPace[] {
  return told.flatMap((startedAt, index) =>
    index % 2 === 0
      ? { startedAt: Number(startedAt), progress: JSON.parse(told[index + 1] ?? '{}') as Partial<WorkProgress> }
      : [],
  );
}
