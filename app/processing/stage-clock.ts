import type { MadeTile } from '../imaging/sketch-file.ts';
import type { Stage, WorkProgress } from './progress.ts';
import type { Size } from './result.ts';

/** Which part of a clock's progress each stage fills, as `[from, to]` of 0..1. */
export type StageShares = Readonly<Partial<Record<Stage, readonly [number, number]>>>;

/** What a stage may report beside its progress. */
export type StageDetail = Pick<WorkProgress, 'tile' | 'tiles' | 'downloadedBytes' | 'totalBytes'>;

/** Told how far the work has come, and of the tile that was finished, where one was. */
export type ProgressListener = (progress: WorkProgress, made?: MadeTile) => void;

/**
 * Turns the steps of one image's work into progress of the whole task, and takes the seconds of each step. A clock owns a part
 * of the image's progress, and hands parts of that on (`span`) to those who do the work.
 */
export class StageClock {
  readonly #image: ImageMeter;
  readonly #from: number;
  readonly #to: number;
  readonly #shares: StageShares;

  private constructor(image: ImageMeter, [from, to]: readonly [number, number], shares: StageShares) {
    this.#image = image;
    this.#from = from;
    this.#to = to;
    this.#shares = shares;
  }

  /**
   * The clock of a whole image.
   * @param image its index, from 0, of `images`
   * @param shares which part of the image's progress each stage fills; a stage without one moves nothing
   */
  static ofImage(
    { image, images }: { readonly image: number; readonly images: number },
    report: ProgressListener,
    shares: StageShares = {},
  ): StageClock {
    return new StageClock(new ImageMeter(image, images, report), [0, 1], shares);
  }

  /**
   * A clock that owns `from`..`to` (0..1) of what this one owns; the seconds are taken together.
   * @param shares which part of that each stage fills; a stage without one moves nothing
   */
  span(from: number, to: number, shares: StageShares = {}): StageClock {
    return new StageClock(this.#image, [this.#ofImage(from), this.#ofImage(to)], shares);
  }

  /**
   * Says how far a stage has come, 0..1. The progress of the image never falls.
   * @param made the tile that was finished just now
   */
  at(stage: Stage, share: number, detail: StageDetail = {}, made?: MadeTile): void {
    const fraction = Math.min(Math.max(share, 0), 1); // a download may bring more bytes than it said
    const range = this.#shares[stage];
    if (range) this.#image.reach(this.#ofImage(range[0] + (range[1] - range[0]) * fraction));
    this.#image.tell({ stage, stageProgress: fraction, ...detail }, made);
  }

  /** Runs a step and adds its time to `name`, without that of steps within it that are timed themselves. */
  async time<T>(name: string, step: () => T | Promise<T>): Promise<T> {
    return this.#image.time(name, step);
  }

  /** Seconds by name, of all clocks of the image, to the millisecond, with their total. */
  seconds(): Readonly<Record<string, number>> {
    return this.#image.seconds();
  }

  #ofImage(share: number): number {
    return this.#from + (this.#to - this.#from) * share;
  }
}

/** What the clocks of one image have in common: how far it has come, and how long that took. */
class ImageMeter {
  readonly #image: number;
  readonly #images: number;
  readonly #report: ProgressListener;
  readonly #seconds = new Map<string, number>();
  #reached = 0;
  /** Seconds of the steps that were timed within the one that runs. */
  #within = 0;

  constructor(image: number, images: number, report: ProgressListener) {
    this.#image = image;
    this.#images = images;
    this.#report = report;
  }

  reach(share: number): void {
    this.#reached = Math.max(this.#reached, share);
  }

  tell(step: Pick<WorkProgress, 'stage' | 'stageProgress'> & StageDetail, made: MadeTile | undefined): void {
    const progress = (this.#image + this.#reached) / this.#images;
    const place = made && { tileRegion: made.region, picture: sizeOf(made.picture) };
    this.#report({ ...step, progress, image: this.#image + 1, images: this.#images, ...place }, made);
  }

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

  seconds(): Readonly<Record<string, number>> {
    const round = (value: number) => Math.round(value * 1000) / 1000;
    const total = [...this.#seconds.values()].reduce((a, b) => a + b, 0);
    return Object.fromEntries([...this.#seconds, ['total', total] as const].map(([name, s]) => [name, round(s)]));
  }
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
