import type { WorkerRest } from './protocol.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How many wait, and for how long. */
export interface IdleLimits {
  /** Workers that may wait, of those that hold a model and of those that hold none. */
  readonly count: number;
  /** How long a model is kept that nobody asks for, in ms; 0: not at all. */
  readonly keepAliveMs: number;
}

/** A worker ends after so many tasks, whatever its libraries have gathered by then. */
const MAX_TASKS = 250;
/** A worker without a model that holds more than this ends: a new one has 75 MiB, one that enlarged a small picture 150. */
const MAX_RESIDENT_BYTES = 256 * 2 ** 20;
/** How long those without a model wait that came to be by work done side by side, but for one; in ms. */
const SURPLUS_MS = 10_000;

/** What is asked of a worker that waits. */
type Worker = Pick<WorkerProcess, 'tasks' | 'exited' | 'kill'>;

interface Waiting<T> {
  readonly worker: T;
  /** The model that it holds, as tasks want it; undefined: none. */
  readonly model: string | undefined;
  timer?: NodeJS.Timeout;
}

/** Workers that wait for a task: such as hold no model, for any, and such as hold one, for those that want it, until their time is over. */
export class IdleWorkers<T extends Worker = WorkerProcess> {
  readonly #limits: IdleLimits;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting<T>>();

  constructor(limits: IdleLimits) {
    this.#limits = limits;
  }

  /** Whether one waits that any task may have. */
  get hasFree(): boolean {
    return this.#free().length > 0;
  }

  /** One that has never worked. */
  addNew(worker: T): void {
    this.#add({ worker, model: undefined });
  }

  /**
   * One that is done with a task.
   * @param model what the task wanted
   * @returns whether it waits; if not, it must end
   */
  add(worker: T, { residentBytes, keepsModel }: WorkerRest, model: string | undefined): boolean {
    if (worker.tasks >= MAX_TASKS) return false;
    const { keepAliveMs, count } = this.#limits;
    if (keepsModel) {
      if (keepAliveMs === 0 || model === undefined || this.#keeping().length >= count) return false;
      this.#add({ worker, model }, keepAliveMs);
      return true;
    }
    const free = this.#free().length;
    if (residentBytes > MAX_RESIDENT_BYTES || free >= count) return false;
    this.#add({ worker, model: undefined }, free > 0 ? SURPLUS_MS : undefined);
    return true;
  }

  /** The one that holds the model that is wanted, else one that holds none, if there is one; it waits no more. */
  take(model: string | undefined): T | undefined {
    const found = this.#keeping().find((one) => one.model === model) ?? this.#free()[0];
    if (found) this.#forget(found);
    return found?.worker;
  }

  /**
   * Ends those that hold another model than the one that is wanted, the oldest first, until no more models are loaded than may be.
   * @param atWork workers that run
   */
  async makeRoomFor(model: string, atWork: number): Promise<void> {
    const keeping = this.#keeping();
    if (keeping.some((one) => one.model === model)) return;
    const surplus = Math.max(0, keeping.length + atWork + 1 - this.#limits.count);
    await Promise.all(keeping.slice(0, surplus).map(async (one) => this.#end(one)));
  }

  /** Ends all. */
  async close(): Promise<void> {
    await Promise.all([...this.#waiting].map(async (one) => this.#end(one)));
  }

  #free(): readonly Waiting<T>[] {
    return [...this.#waiting].filter(({ model }) => model === undefined);
  }

  #keeping(): readonly Waiting<T>[] {
    return [...this.#waiting].filter(({ model }) => model !== undefined);
  }

  #add(one: Waiting<T>, ms?: number): void {
    this.#waiting.add(one);
    if (ms !== undefined) one.timer = setTimeout(() => void this.#end(one), ms);
    void one.worker.exited.then(() => this.#forget(one)); // it was killed while it waited
  }

  #forget(one: Waiting<T>): void {
    clearTimeout(one.timer);
    this.#waiting.delete(one);
  }

  async #end(one: Waiting<T>): Promise<void> {
    this.#forget(one);
    await one.worker.kill();
  }
}
