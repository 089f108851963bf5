import type { Stage, WorkProgress } from './progress.ts';

/** What happens once, before the work: how long it takes says nothing of how fast the work goes. */
const PREPARATIONS: readonly Stage[] = ['queued', 'downloading', 'loading'];
/** A pace that was seen over less than both of these says little. */
const MIN_SHARE = 0.05;
const MIN_SECONDS = 3;

/** How fast the work of a task goes, and so how long the rest of it takes. */
export class WorkPace {
  readonly #preparations: readonly Stage[];
  #last: { readonly progress: WorkProgress; readonly atMs: number } | undefined;
  #seconds = 0;
  #share = 0;

  /** @param isDownload whether to fetch something is the work itself, and no preparation of it */
  constructor({ isDownload }: { readonly isDownload: boolean }) {
    this.#preparations = isDownload ? [] : PREPARATIONS;
  }

  /**
   * Counts what was done since the last call, where that was work.
   * @param nowMs by a clock that nobody sets
   * @returns the progress, with the seconds that are left where enough was seen to tell
   */
  told(progress: WorkProgress, nowMs: number): WorkProgress {
    const last = this.#last;
    this.#last = { progress, atMs: nowMs };
    if (last && this.#isWork(last.progress)) {
      this.#seconds += (nowMs - last.atMs) / 1000;
      this.#share += Math.max(0, progress.progress - last.progress.progress);
    }
    const isEnough = this.#share >= MIN_SHARE || (this.#share > 0 && this.#seconds >= MIN_SECONDS);
    if (!isEnough) return progress;
    return { ...progress, secondsLeft: (this.#seconds * (1 - progress.progress)) / this.#share };
  }

  /** Whether what comes after this is work. */
  #isWork({ stage, stageProgress }: WorkProgress): boolean {
    return !this.#preparations.includes(stage) || (stage === 'loading' && stageProgress === 1);
  }
}
