import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ScratchSpaceError } from './errors.ts';
import type { BitDepth, Channels, ImageShape, Samples } from './image.ts';
import { allocateSamples, rowLength } from './image.ts';
import type { RowSink, RowSource } from './rows.ts';
import type { VipsAttachments, VipsDensity } from './vips-file.ts';
import { VIPS_HEADER_BYTES, vipsHeader, vipsTrailer } from './vips-file.ts';

/**
 * An image on disk: rows are appended from the top and can be read at any time. The file is libvips' own raw format, so
 * that sharp maps it when it encodes and a large result never lies in memory as a whole. Synchronous, for worker processes.
 */
export class ScratchImage implements RowSink, RowSource {
  static readonly #open = new Set<ScratchImage>();
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  readonly depth: BitDepth;
  readonly file: string;
  readonly #fd: number;
  #written = 0;
  #isOpen = true;

  private constructor(file: string, shape: ImageShape) {
    this.width = shape.width;
    this.height = shape.height;
    this.channels = shape.channels;
    this.depth = shape.depth;
    this.file = file;
    this.#fd = openSync(file, 'wx+', 0o600);
    ScratchImage.#open.add(this);
    this.#write(vipsHeader(shape), 0);
  }

  /**
   * A new file in `folder`, which has a name of its own.
   * @throws ScratchSpaceError here and from `writeRows`, where the disk is full or fails
   */
  static create(folder: string, shape: ImageShape): ScratchImage {
    return new ScratchImage(join(folder, `${randomUUID()}.v`), shape);
  }

  /** Disposes of all images in `folder` that nobody did away with, but for those that are still needed: their room is free again. */
  static disposeAll(folder: string, needed: ReadonlySet<ScratchImage>): void {
    for (const image of ScratchImage.#open) if (dirname(image.file) === folder && !needed.has(image)) image.dispose();
  }

  writeRows(rows: Samples): void {
    const count = rows.length / rowLength(this);
    if (!Number.isInteger(count) || this.#written + count > this.height) {
      throw new RangeError(`${rows.length} samples are no rows that ${this.width} x ${this.height} has left`);
    }
    this.#write(bytesOf(rows), this.#offset(this.#written));
    this.#written += count;
  }

  readRows(y: number, count: number): Samples {
    if (y < 0 || y + count > this.#written) throw new RangeError(`rows ${y} to ${y + count} are not written yet`);
    const rows = allocateSamples(this.depth, count * rowLength(this));
    const bytes = bytesOf(rows);
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, this.#offset(y) + done);
      if (read === 0)
        throw new ScratchSpaceError(
          `${this.file}: the scratch file has become shorter; keep its folder to this service`,
        );
      done += read;
    }
    return rows;
  }

  /**
   * Says what a writer is to find with the pixels; replaces what was said before.
   * @param density pixels per inch, by axis
   */
  attach(attachments: VipsAttachments, density?: VipsDensity): void {
    const end = this.#offset(this.height);
    this.#write(vipsHeader(this, density), 0);
    ftruncateSync(this.#fd, end);
    this.#write(vipsTrailer(attachments), end);
  }

  /** Closes and removes the file. */
  dispose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    ScratchImage.#open.delete(this);
    closeSync(this.#fd);
    rmSync(this.file, { force: true });
  }

  #offset(row: number): number {
    return VIPS_HEADER_BYTES + row * rowLength(this) * (this.depth / 8);
  }

  /** A write may be short, e.g. just before the disk is full; the next one then says so. */
  #write(bytes: Uint8Array, position: number): void {
    try {
      let done = 0;
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      const needed = this.#offset(this.height);
      throw new ScratchSpaceError(`${this.file}: cannot be written (${detail}); ${needed} bytes are needed there`, {
        cause,
      });
    }
  }
}

function bytesOf(rows: Samples): Uint8Array {
  return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
}
