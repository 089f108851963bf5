import { EventEmitter } from 'node:events';
import type { EndStatus, Job } from './job.ts';

/** At most this many `progress` events a second for one job. */
const PROGRESS_PER_SECOND = 10;

/**
 * What happens to jobs: any number of `progress`, then exactly one of `completed`, `failed`, `cancelled`. `interrupted` is not an
 * end: the service stops, and the job goes on when it starts again. Listeners get the job as it stands.
 *
 * Where several servers share a queue, each tells of all jobs. `settled` comes with an end too, on the one server that put the
 * job in its last state: for what has to be done once. `removed` comes likewise where a job was removed because somebody asked.
 */
export class JobEvents extends EventEmitter<
  Record<'progress' | 'interrupted' | 'settled' | 'removed' | EndStatus, [job: Job]>
> {
  constructor() {
    super();
    this.setMaxListeners(0); // every request that is held open listens
  }
}

/** Thins out a job's progress: the first change is passed on at once, later ones at a bounded rate, the newest never lost. */
export class ProgressThrottle {
  readonly #emit: (jobId: string) => void;
  readonly #pauseMs: number;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #stale = new Set<string>();

  constructor(emit: (jobId: string) => void, perSecond = PROGRESS_PER_SECOND) {
    this.#emit = emit;
    this.#pauseMs = 1000 / perSecond;
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

  /** Forgets all. */
  close(): void {
    for (const jobId of [...this.#timers.keys()]) this.drop(jobId);
  }

  #pass(jobId: string): void {
    this.#timers.set(
      jobId,
      setTimeout(() => this.#tick(jobId), this.#pauseMs),
    );
    this.#emit(jobId);
  }

  #tick(jobId: string): void {
    this.#timers.delete(jobId);
    if (this.#stale.delete(jobId)) this.#pass(jobId);
  }
}
