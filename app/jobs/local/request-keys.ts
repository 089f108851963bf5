import type { Job, JobRequest } from '../job.ts';
import type { CallerKey } from '../job-queue.ts';

/** Which jobs callers' keys name: those that are accepted, and those that are being stored. */
export class RequestKeys<Entry extends { readonly job: Job }> {
  readonly #jobs = new Map<string, Promise<Entry>>();

  find(key: CallerKey): Promise<Entry> | undefined {
    return this.#jobs.get(nameOf(key));
  }

  /** The job that an earlier request of the same key became, or becomes. */
  earlier({ caller, idempotency }: JobRequest): Promise<Entry> | undefined {
    return idempotency && this.find({ caller, ...idempotency });
  }

  /** One that rejects gives the key free. */
  claim({ caller, idempotency }: JobRequest, entry: Promise<Entry>): void {
    if (!idempotency) return;
    const name = nameOf({ caller, ...idempotency });
    this.#jobs.set(name, entry);
    entry.catch(() => this.#jobs.delete(name));
  }

  /** Gives a job's key free, if it is still its. */
  async release({ id, caller, idempotency }: Job): Promise<void> {
    if (!idempotency) return;
    const name = nameOf({ caller, ...idempotency });
    if ((await this.#jobs.get(name))?.job.id === id) this.#jobs.delete(name);
  }
}

/** A key within its caller's. */
function nameOf({ caller, key }: CallerKey): string {
  return JSON.stringify([caller, key]);
}
