import { closeSync, openSync, writeSync } from 'node:fs';
import type { Rectangle } from '../../rectangle.ts';
import { readImageHeader } from '../image-header.ts';
import type { AnimationTimes, MovingFile } from './moving-file.ts';
import { makeRiffChunk, riffChunks } from '../riff-chunks.ts';

const FLAG = { moves: 0x02, xmp: 0x04, exif: 0x08, alpha: 0x10, icc: 0x20 } as const;
const VP8X_FLAGS_AT = 20;
const IN_PLACE = 0x02; // of a frame: not blended with what was there
const VP8L_ALPHA = 0x10;
const MAX_TIME = 0xff_ffff;
const MAX_PLAYS = 0xffff;

/**
 * A WebP that moves, written frame by frame from WebPs, which are not decoded: their data becomes that of frames. What is in memory is
 * one frame (https://developers.google.com/speed/webp/docs/riff_container#animation).
 */
export class WebpFile implements MovingFile {
  readonly #fd: number;
  readonly #animation: AnimationTimes;
  #flags = FLAG.moves as number;
  #written = 0;
  #frames = 0;
  /** EXIF and XMP of the first, which stand behind all frames. */
  readonly #texts: Buffer[] = [];

  constructor(path: string, animation: AnimationTimes) {
    this.#fd = openSync(path, 'w', 0o600);
    this.#animation = animation;
  }

  /** Its sides have to be even numbers away from the canvas's. */
  add(still: Buffer, { x, y }: Pick<Rectangle, 'x' | 'y'>): void {
    const { size } = readImageHeader(still, 'webp');
    if (!size) throw new RangeError('a frame has a size');
    const chunks = [...riffChunks(still)];
    if (this.#frames === 0) this.#begin(size, chunks);
    const pixels = chunks.filter(({ type }) => type === 'ALPH' || type.startsWith('VP8 ') || type === 'VP8L');
    if (pixels.some(({ type, data }) => type === 'ALPH' || (type === 'VP8L' && ((data[4] ?? 0) & VP8L_ALPHA) !== 0)))
      this.#flags |= FLAG.alpha;
    const head = Buffer.alloc(16);
    for (const [index, value] of [x / 2, y / 2, size.width - 1, size.height - 1].entries())
      head.writeUIntLE(value, index * 3, 3);
    head.writeUIntLE(Math.min(MAX_TIME, Math.round(this.#animation.times[this.#frames] ?? 0)), 12, 3);
    head[15] = IN_PLACE;
    this.#write(makeRiffChunk('ANMF', head, ...pixels.map(({ whole }) => whole)));
    this.#frames++;
  }

  finish(): void {
    this.#texts.forEach((chunk) => this.#write(chunk));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.#written - 8);
    writeSync(this.#fd, length, 0, 4, 4);
    writeSync(this.#fd, Uint8Array.of(this.#flags), 0, 1, VP8X_FLAGS_AT);
    this.close();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Length and flags are put in at the end. */
  #begin(
    { width, height }: { readonly width: number; readonly height: number },
    chunks: readonly { readonly type: string; readonly whole: Buffer }[],
  ): void {
    const canvas = Buffer.alloc(10);
    canvas.writeUIntLE(width - 1, 4, 3);
    canvas.writeUIntLE(height - 1, 7, 3);
    const loop = Buffer.alloc(6); // a background of four zeros in front
    loop.writeUInt16LE(Math.min(MAX_PLAYS, this.#animation.plays), 4);
    const profile = chunks.filter(({ type }) => type === 'ICCP').map(({ whole }) => whole);
    const texts = chunks.filter(({ type }) => type === 'EXIF' || type === 'XMP ');
    this.#texts.push(...texts.map(({ whole }) => Buffer.from(whole)));
    if (profile.length > 0) this.#flags |= FLAG.icc;
    for (const { type } of texts) this.#flags |= type === 'EXIF' ? FLAG.exif : FLAG.xmp;
    const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
    this.#write(Buffer.concat([head, makeRiffChunk('VP8X', canvas), ...profile, makeRiffChunk('ANIM', loop)]));
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
    this.#written += bytes.length;
  }
}
