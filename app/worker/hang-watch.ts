import { processStat } from '../files/process-identity.ts';

/** When a worker is taken to hang; in ms. */
export interface HangLimits {
  /** How often it is looked at. */
  readonly intervalMs: number;
  /** One that says nothing and uses no CPU for this long will not finish. */
  readonly silenceMs: number;
}

export const HANG_LIMITS: HangLimits = { intervalMs: 5_000, silenceMs: 60_000 };

/**
 * Watches a worker for hanging: no message and no CPU time for a minute. A slow tile uses CPU time, so it may be as slow as
 * it is. Where the system does not tell CPU times (all but Linux), only the task's own time limit ends a hang.
 */
export class HangWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #lastSign = performance.now();
  #cpu: string | undefined;

  /** @param onHang called once */
  constructor(pid: number, { intervalMs, silenceMs }: HangLimits, onHang: () => void) {
    this.#pid = pid;
    this.#cpu = this.#cpuTime();
    this.#timer = setInterval(() => {
      const cpu = this.#cpuTime();
      if (cpu === undefined || cpu !== this.#cpu) this.sign();
      this.#cpu = cpu;
      if (performance.now() - this.#lastSign <= silenceMs) return;
      this.stop();
      onHang();
    }, intervalMs);
  }

  /** The worker gave a sign of life. */
  sign(): void {
    this.#lastSign = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** User and system ticks; undefined where the system does not tell. */
  #cpuTime(): string | undefined {
    const stat = processStat(this.#pid);
    return stat && `${stat[14]},${stat[15]}`;
  }
}
