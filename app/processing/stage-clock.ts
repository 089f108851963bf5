import type { Stage, WorkProgress } from './progress.ts';

/** What part of one image's work a stage is, as `[from, to]` of 0..1. */
export type StageShares = Readonly<Partial<Record<Stage, readonly [number, number]>>>;

/** What a stage may say beside how far it has come. */
export type StageDetail = Pick<WorkProgress, 'tile' | 'tiles' | 'downloadedBytes' | 'totalBytes'>;

/** Turns the steps of one image's work into progress of the whole task, and takes the seconds of each stage. */
export class StageClock {
  /** Index of the image, from 0. */
  readonly image: number;
  readonly #images: number;
  readonly #report: (progress: WorkProgress) => void;
  readonly #seconds = new Map<string, number>();
  #shares: StageShares;
  #part: readonly [from: number, to: number] = [0, 1];
  #reached = 0;
  /** Seconds of the steps that were timed within the one that runs. */
  #within = 0;

  constructor(image: number, images: number, shares: StageShares, report: (progress: WorkProgress) => void) {
    this.image = image;
    this.#images = images;
    this.#shares = shares;
    this.#report = report;
  }

  /** Other shares, once it is known what the work will be. */
  set shares(shares: StageShares) {
    this.#shares = shares;
  }

  /** Which part of the image's work the shares are shares of; all of it where this is not set. */
  set part(part: readonly [from: number, to: number]) {
    this.#part = part;
  }

  /** Says how far a stage has come, 0..1. The whole never falls. */
  at(stage: Stage, share: number, detail: StageDetail = {}): void {
    const fraction = Math.min(Math.max(share, 0), 1); // a download may bring more bytes than it said
    const range = this.#shares[stage];
    if (range) this.#reached = Math.max(this.#reached, this.#whole(range[0] + (range[1] - range[0]) * fraction));
    this.#report({
      stage,
      progress: (this.image + this.#reached) / this.#images,
      stageProgress: fraction,
      image: this.image + 1,
      images: this.#images,
      ...detail,
    });
  }

  #whole(share: number): number {
    const [from, to] = this.#part;
    return from + (to - from) * share;
  }

  /** Runs a step and adds its time to `name`, without that of steps within it that are timed themselves. */
  async time<T>(name: string, step: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    const before = this.#within;
    this.#within = 0;
    try {
      return await step();
    } finally {
      const seconds = (performance.now() - start) / 1000;
      this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + seconds - this.#within);
      this.#within = before + seconds;
    }
  }

  /** Seconds by name, to the millisecond, with their total. */
  seconds(): Readonly<Record<string, number>> {
    const round = (value: number) => Math.round(value * 1000) / 1000;
    const total = [...this.#seconds.values()].reduce((a, b) => a + b, 0);
    return Object.fromEntries([...this.#seconds, ['total', total] as const].map(([name, s]) => [name, round(s)]));
  }
}
