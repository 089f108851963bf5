import { open } from 'node:fs/promises';
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import type { ImageShape, Samples } from './image.ts';
import { hasAlpha, rowLength } from './image.ts';
import type { Rectangle } from './rectangle.ts';
import { VIPS_HEADER_BYTES, vipsHeader, vipsSize, vipsTrailer } from './vips-file.ts';

/** Longest side in pixels: six megabytes and some milliseconds, however large the picture is. */
export const MAX_SKETCH_SIDE = 1280;

const RGBA = 4;

/** A finished tile of a picture that is being made. */
export interface MadeTile {
  /** The shape of the whole picture. */
  readonly picture: ImageShape;
  /** Where the tile lies in it, in its pixels. */
  readonly region: Rectangle;
  /** Whole rows of the picture from the tile's top on; outside the tile they say nothing. */
  readonly rows: Samples;
}

interface OpenedFile {
  readonly fd: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A small picture of what is finished of a large one, for people who watch: 8-bit RGBA in a file that libvips reads, transparent where
 * nothing is finished yet. Pixels are picked, or the mean of four where there are more; none is made up. Synchronous, for worker processes.
 */
export class SketchFile {
  readonly #file: string;
  #opened: OpenedFile | undefined;
  #isGivenUp = false;
  #icc: Uint8Array | undefined;

  /** Nothing is written before the first tile. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Says by which profile (of RGB) the colours of all tiles are meant, before the first. Without one they are sRGB. */
  setProfile(icc: Uint8Array | undefined): void {
    this.#icc = icc;
  }

  /**
   * Tiles of pictures of other sizes, but of the same ratio, go where they belong: an earlier pass is painted over by the next. Never
   * throws: no picture fails because it cannot be watched.
   */
  paint(tile: MadeTile): void {
    if (this.#isGivenUp) return;
    try {
      this.#paint(tile);
    } catch {
      this.dispose();
      this.#isGivenUp = true;
    }
  }

  #paint(tile: MadeTile): void {
    const { picture, region } = tile;
    const { fd, width, height } = (this.#opened ??= this.#create(picture));
    const across = spanOf(region.x, region.width, picture.width / width);
    const down = spanOf(region.y, region.height, picture.height / height);
    if (across.count <= 0) return;
    const columns = across.lookedUp.map((column) => (region.x + column) * picture.channels);
    for (let row = 0; row < down.count; row++) {
      const tops = down.lookedUp.slice(2 * row, 2 * row + 2).map((y) => y * rowLength(picture));
      const line = lineOf(tile, columns, tops);
      const at = (down.start + row) * width + across.start;
      writeSync(fd, line, 0, line.length, VIPS_HEADER_BYTES + at * RGBA);
    }
  }

  /** Closes and removes the file. */
  dispose(): void {
    if (!this.#opened) return;
    closeSync(this.#opened.fd);
    this.#opened = undefined;
    rmSync(this.#file, { force: true });
  }

  /** One that a killed worker left is not written over: somebody may be reading it. */
  #create(picture: ImageShape): OpenedFile {
    const scale = Math.min(1, MAX_SKETCH_SIDE / Math.max(picture.width, picture.height));
    const width = Math.max(1, Math.round(picture.width * scale));
    const height = Math.max(1, Math.round(picture.height * scale));
    rmSync(this.#file, { force: true });
    const fd = openSync(this.#file, 'wx', 0o600);
    const end = VIPS_HEADER_BYTES + width * height * RGBA;
    ftruncateSync(fd, end);
    writeSync(fd, vipsTrailer({ icc: this.#icc }), 0, undefined, end);
    writeSync(fd, vipsHeader({ width, height, channels: RGBA, depth: 8 }), 0, undefined, 0); // last: with it the file is whole
    return { fd, width, height };
  }
}

/**
 * Rejects with ENOENT where nothing is finished yet, or all is.
 * @throws RangeError where a sketch has just been begun
 */
export async function assertBegun(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(VIPS_HEADER_BYTES), 0, VIPS_HEADER_BYTES, 0);
    if (vipsSize(buffer.subarray(0, bytesRead)).width === 0) throw new RangeError(`${file}: is not whole`);
  } finally {
    await handle.close();
  }
}

interface Span {
  /** The first pixel of the sketch whose middle lies within the tile, and how many follow. */
  readonly start: number;
  readonly count: number;
  /** Two places of the tile for each: the same one where the sketch is not reduced by two. */
  readonly lookedUp: Int32Array;
}

/** @param scale pixels of the picture for one of the sketch */
function spanOf(from: number, length: number, scale: number): Span {
  const start = Math.ceil(from / scale - 0.5);
  const count = Math.max(0, Math.ceil((from + length) / scale - 0.5) - start);
  const [first, second] = scale < 2 ? [0.5, 0.5] : [0.25, 0.75];
  const lookedUp = Int32Array.from({ length: 2 * count }, (_, index) => {
    const place = Math.floor((start + (index >> 1) + (index % 2 === 0 ? first : second)) * scale) - from;
    return Math.min(length - 1, Math.max(0, place));
  });
  return { start, count, lookedUp };
}

/**
 * A line of the sketch.
 * @param columns offsets within a row of two samples for each pixel
 * @param tops offsets of two rows
 */
function lineOf({ picture, rows }: MadeTile, columns: Int32Array, [top = 0, next = 0]: Int32Array): Uint8Array {
  const { channels, depth } = picture;
  const line = new Uint8Array((columns.length / 2) * RGBA).fill(255);
  const divisor = 4 * (depth === 16 ? 257 : 1);
  const colors = hasAlpha(channels) ? channels - 1 : channels;
  for (let channel = 0; channel < (hasAlpha(channels) ? RGBA : 3); channel++) {
    const from = channel < 3 ? Math.min(channel, colors - 1) : colors;
    for (let pixel = 0; 2 * pixel < columns.length; pixel++) {
      const [left, right] = [(columns[2 * pixel] ?? 0) + from, (columns[2 * pixel + 1] ?? 0) + from];
      const sum = at(rows, top + left) + at(rows, top + right) + at(rows, next + left) + at(rows, next + right);
      line[pixel * RGBA + channel] = Math.round(sum / divisor);
    }
  }
  return line;
}

function at(rows: Samples, index: number): number {
  return rows[index] ?? 0;
}
