import type { EndStatus, Job } from '../job.ts';
import { hasEnded } from '../job.ts';
import { JobEvents, ProgressThrottle } from '../job-events.ts';
import type { JobFiles } from '../job-files.ts';
import type { JobRecord } from './job-record.ts';
import { recordedJob } from './job-record.ts';
import type { JobStore } from './job-store.ts';

export interface HeardEventsOptions {
  readonly files: JobFiles;
  /** Waits for what has to be done here before a job's end is told. */
  readonly beforeEnd: (job: Job) => Promise<unknown> | undefined;
}

/**
 * What scripts have told of jobs, in the order in which it came about, made into this server's events. Every job that has not
 * ended is known here: its end is told once, also where the message of it was lost with the connection.
 */
export class HeardEvents {
  readonly events = new JobEvents();
  readonly #options: HeardEventsOptions;
  readonly #live = new Set<string>();
  readonly #latest = new Map<string, Job>();
  readonly #throttle = new ProgressThrottle((id) => this.#tellLatest(id));

  constructor(options: HeardEventsOptions) {
    this.#options = options;
  }

  receive(message: string): void {
    const [, record] = JSON.parse(message) as readonly [event: string, record: JobRecord];
    this.#update(recordedJob(record, this.#options.files).job);
  }

  /** Finds out what ended while nothing could be heard. */
  async catchUp(store: JobStore): Promise<void> {
    for (const { job } of await store.live()) this.#live.add(job.id);
    const asked = [...this.#live];
    const found = new Map((await store.read(asked)).map(({ job }) => [job.id, job]));
    for (const id of asked) {
      const job = found.get(id);
      if (!job) this.#live.delete(id);
      else if (hasEnded(job.status)) this.#ended(job, job.status);
    }
  }

  /** Of this server alone. */
  publish(event: 'interrupted' | 'settled' | 'removed', job: Job): void {
    this.events.emit(event, job);
  }

  close(): void {
    this.#throttle.close();
  }

  #update(job: Job): void {
    if (hasEnded(job.status)) this.#ended(job, job.status);
    else {
      this.#live.add(job.id);
      this.#latest.set(job.id, job);
      this.#throttle.changed(job.id);
    }
  }

  #ended(job: Job, status: EndStatus): void {
    if (!this.#live.delete(job.id)) return;
    this.#throttle.drop(job.id);
    this.#latest.delete(job.id);
    const publish = (): void => void this.events.emit(status, job);
    const done = this.#options.beforeEnd(job);
    if (done) void done.then(publish, publish);
    else publish();
  }

  #tellLatest(id: string): void {
    const job = this.#latest.get(id);
    this.#latest.delete(id);
    if (job) this.events.emit('progress', job);
  }
}
