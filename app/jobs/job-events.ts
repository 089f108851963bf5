import { EventEmitter } from 'node:events';
import type { EndStatus, Job } from './job.ts';

/** At most this many `progress` events a second for one job. */
const PROGRESS_PER_SECOND = 10;

/**
 * What happens to jobs: any number of `progress`, then exactly one of `completed`, `failed`, `cancelled`. `interrupted` is not an
 * end: the service stops, and the job goes on when it starts again. Listeners get the job as it stands.
 */
export class JobEvents extends EventEmitter<Record<'progress' | 'interrupted' | EndStatus, [job: Job]>> {
  constructor() {
    super();
    this.setMaxListeners(0); // every request that is held open listens
  }
}

/** Thins out a job's progress: the first change is passed on at once, later ones at a bounded rate, the newest never lost. */
export class ProgressThrottle {
  readonly #emit: (jobId: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #stale = new Set<string>();

  constructor(emit: (jobId: string) => void) {
    this.#emit = emit;
  }

  changed(jobId: string): void {
    if (this.#timers.has(jobId)) this.#stale.add(jobId);
    else this.#pass(jobId);
  }

  /** Forgets a job; nothing is passed on for it any more. */
  drop(jobId: string): void {
    clearTimeout(this.#timers.get(jobId));
    this.#timers.delete(jobId);
    this.#stale.delete(jobId);
  }

  #pass(jobId: string): void {
    this.#timers.set(
      jobId,
      setTimeout(() => this.#tick(jobId), 1000 / PROGRESS_PER_SECOND),
    );
    this.#emit(jobId);
  }

  #tick(jobId: string): void {
    this.#timers.delete(jobId);
    if (this.#stale.delete(jobId)) this.#pass(jobId);
  }
}
