import { closeSync, openSync, writeSync } from 'node:fs';
import type { Rectangle } from '../../rectangle.ts';
import { chunksOf, makePngChunk } from '../png-chunks.ts';
import type { AnimationTimes, MovingFile } from './moving-file.ts';

const MAX_SHORT = 65_535;
const MILLISECONDS = 1000;

/**
 * A PNG that moves, written frame by frame from PNGs of one kind: what the first says besides its pixels goes for the whole
 * (https://www.w3.org/TR/png-3/#apng-frame-based-animation).
 */
export class ApngFile implements MovingFile {
  readonly #fd: number;
  readonly #name: string;
  readonly #animation: AnimationTimes;
  #frames = 0;
  /** Of the chunks that say or hold frames, counted together. */
  #sequence = 0;

  constructor(path: string, animation: AnimationTimes) {
    this.#fd = openSync(path, 'w', 0o600);
    this.#name = path;
    this.#animation = animation;
  }

  add(png: Buffer, at: Pick<Rectangle, 'x' | 'y'>): void {
    const isFirst = this.#frames === 0;
    if (isFirst) this.#write(png.subarray(0, 8)); // the signature
    let isTold = false;
    for (const { type, data, whole } of chunksOf(png, this.#name)) {
      if (type === 'IDAT' && !isTold) {
        if (isFirst) this.#write(this.#animationControl());
        this.#write(this.#frameControl(png, at));
        isTold = true;
      }
      if (type === 'IDAT' && !isFirst) this.#write(makePngChunk('fdAT', Buffer.concat([this.#next(), data])));
      else if (isFirst && type !== 'IEND') this.#write(whole);
    }
    this.#frames++;
  }

  finish(): void {
    this.#write(makePngChunk('IEND', new Uint8Array(0)));
    this.close();
  }

  close(): void {
    closeSync(this.#fd);
  }

  #animationControl(): Uint8Array {
    const data = Buffer.alloc(8);
    data.writeUInt32BE(this.#animation.times.length, 0);
    data.writeUInt32BE(this.#animation.plays, 4);
    return makePngChunk('acTL', data);
  }

  /** In the place of what was there. */
  #frameControl(png: Buffer, { x, y }: Pick<Rectangle, 'x' | 'y'>): Uint8Array {
    const data = Buffer.alloc(26);
    data.set(this.#next());
    png.copy(data, 4, 16, 24); // width and height, as IHDR has them
    data.writeUInt32BE(x, 12);
    data.writeUInt32BE(y, 16);
    const time = this.#animation.times[this.#frames] ?? 0;
    const [numerator, denominator] = time <= MAX_SHORT ? [time, MILLISECONDS] : [time / MILLISECONDS, 1];
    data.writeUInt16BE(Math.min(MAX_SHORT, Math.round(numerator)), 20);
    data.writeUInt16BE(denominator, 22);
    return makePngChunk('fcTL', data);
  }

  #next(): Buffer {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(this.#sequence++);
    return number;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
  }
}
