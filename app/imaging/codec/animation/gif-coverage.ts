import type { Image } from '../../image.ts';
import type { Rectangle } from '../../rectangle.ts';
import type { GifFrame } from '../pixels/gif-frame.ts';

/** What the frames of a GIF have covered of its canvas so far: viewers show nothing elsewhere, the decoder black. */
export class GifCoverage {
  readonly #width: number;
  readonly #height: number;
  #covered: Uint8Array;

  constructor({ width, height }: { readonly width: number; readonly height: number }) {
    this.#width = width;
    this.#height = height;
    this.#covered = new Uint8Array(width * height);
  }

  /**
   * Goes on to the next frame.
   * @param image its canvas with alpha, 8 bits; changed: what is not covered becomes clear
   */
  show(image: Image, frame: GifFrame): void {
    const before = frame.disposal === 'restore' ? this.#covered.slice() : undefined;
    this.#fill(frame, 1);
    const { data, channels } = image;
    for (let pixel = 0; pixel < this.#covered.length; pixel++)
      if (this.#covered[pixel] === 0) data.fill(0, pixel * channels, (pixel + 1) * channels);
    if (before) this.#covered = before;
    if (frame.disposal === 'clear') this.#fill(frame, 0);
  }

  #fill({ x, y, width, height }: Rectangle, value: 0 | 1): void {
    for (let row = y; row < Math.min(y + height, this.#height); row++) {
      const from = row * this.#width;
      this.#covered.fill(value, from + Math.min(x, this.#width), from + Math.min(x + width, this.#width));
    }
  }
}
