import type { ReadonlySignal } from '@preact/signals';
import { effect, signal } from '@preact/signals';
import { fetchBlob } from '../service/connection.ts';
import type { Layer, Picture } from './picture.ts';
import { arrivals } from './picture.ts';
import type { Extent } from './transform.ts';

/** What is shown of a result before it is there. */
export interface Unfinished {
  /** Where what is finished can be had. */
  readonly path: string;
  /** The size that the result will have. */
  readonly size: Extent;
  /** What is seen where nothing is finished yet. */
  readonly ground: ImageBitmap | undefined;
  /** How many tiles are finished. */
  readonly tile: ReadonlySignal<number>;
}

const PAUSE_MS = 500;
/** Pauses are at least so many times as long as the last look took: a service that is busy is looked at less. */
const PAUSES = 4;

const isSeen = signal(!document.hidden);
document.addEventListener('visibilitychange', () => (isSeen.value = !document.hidden));

/** A result that is being made: tiles appear over the original as they are finished. Not asked for while nobody can see the page. */
export class UnfinishedPicture implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #path: string;
  readonly #ground: ImageBitmap | undefined;
  readonly #stop: () => void;
  readonly #closing = new AbortController();
  #finished: ImageBitmap | undefined;
  #shownTile = 0;
  #wantedTile = 0;
  #isLooking = false;

  constructor({ path, size, ground, tile }: Unfinished) {
    this.#path = path;
    this.#ground = ground;
    this.width = size.width;
    this.height = size.height;
    this.#stop = effect(() => {
      this.#wantedTile = tile.value;
      if (isSeen.value) void this.#look();
    });
  }

  layers(): readonly Layer[] {
    const source = { x: 0, y: 0, width: this.width, height: this.height };
    return [this.#ground, this.#finished].flatMap((bitmap) => (bitmap ? [{ bitmap, source }] : []));
  }

  want(): void {
    // All of it is shown as it comes, whatever part is looked at.
  }

  close(): void {
    this.#stop();
    this.#closing.abort();
    this.#ground?.close();
    this.#finished?.close();
  }

  /** One look at a time, and the newest state is never missed. */
  async #look(): Promise<void> {
    const { signal: closing } = this.#closing;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#shownTile !== this.#wantedTile && isSeen.peek() && !closing.aborted) {
      const start = performance.now();
      this.#shownTile = this.#wantedTile;
      await this.#load(closing).catch(() => undefined); // the next tile brings another look
      const pauseMs = Math.max(PAUSE_MS, PAUSES * (performance.now() - start));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    this.#isLooking = false;
  }

  async #load(closing: AbortSignal): Promise<void> {
    const blob = await fetchBlob(this.#path, { signal: closing });
    if (blob.size === 0) return;
    const bitmap = await createImageBitmap(blob);
    if (closing.aborted) {
      bitmap.close();
      return;
    }
    this.#finished?.close();
    this.#finished = bitmap;
    arrivals.value++;
  }
}
