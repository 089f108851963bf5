import type { EndStatus, Job, JobPage } from '../job.ts';
import { hasEnded } from '../job.ts';
import { JobEvents, ProgressThrottle } from '../job-events.ts';
import type { JobQueue } from '../job-queue.ts';
import { MAX_TOLD_POSITIONS } from '../job-queue.ts';
import type { ServiceRate } from '../service-rate.ts';
import type { StartOrder } from './start-order.ts';

/** The current state of every job, in order of arrival, and the events that report its changes. */
export class JobTable<Entry extends { job: Job }> {
  readonly events = new JobEvents();
  readonly #entries = new Map<string, Entry>();
  readonly #order: StartOrder;
  readonly #rate: ServiceRate;
  readonly #throttle = new ProgressThrottle((id) => this.emit(id, 'progress'));

  constructor(order: StartOrder, rate: ServiceRate) {
    this.#order = order;
    this.#rate = rate;
  }

  add(entry: Entry): void {
    this.#entries.set(entry.job.id, entry);
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  delete(id: string): void {
    this.#throttle.drop(id);
    this.#entries.delete(id);
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  jobs(): readonly Job[] {
    return this.entries().map(({ job }) => job);
  }

  snapshot({ job }: Entry): Job {
    if (hasEnded(job.status)) return job;
    const stands = { ...job, queuePosition: this.#order.position(job) };
    const etaSeconds = this.#rate.secondsUntilEnd(stands);
    return etaSeconds === undefined ? stands : { ...stands, etaSeconds };
  }

  /** `after` is the id of a job that is in the table. */
  page({ limit, after, caller }: Parameters<JobQueue['list']>[0]): JobPage {
    const newestFirst = this.entries()
      .filter(({ job }) => caller === undefined || job.caller === caller)
      .reverse();
    const start = newestFirst.findIndex(({ job }) => job.id === after) + 1;
    const jobs = newestFirst.slice(start, start + limit).map((entry) => this.snapshot(entry));
    const last = jobs.at(-1);
    return last !== undefined && start + limit < newestFirst.length ? { jobs, next: last.id } : { jobs };
  }

  /** Changes a job that has not ended, and tells of it soon. */
  change(entry: Entry, change: Partial<Job>): void {
    if (hasEnded(entry.job.status)) return;
    entry.job = { ...entry.job, ...change };
    this.#throttle.changed(entry.job.id);
  }

  /** Puts a job in its last state, and tells of it; nothing is told of it after that. */
  end(entry: Entry, ended: Job & { readonly status: EndStatus }): void {
    this.#throttle.drop(ended.id);
    entry.job = ended;
    this.emit(ended.id, ended.status);
    this.emit(ended.id, 'settled');
  }

  tellPositions(): void {
    for (const id of this.#order.upTo(MAX_TOLD_POSITIONS)) this.#throttle.changed(id);
  }

  emit(id: string, event: 'progress' | 'interrupted' | 'settled' | EndStatus): void {
    const entry = this.#entries.get(id);
    if (entry) this.events.emit(event, this.snapshot(entry));
  }
}
