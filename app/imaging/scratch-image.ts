import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { BitDepth, Channels, ImageShape, Samples } from './image.ts';
import { allocateSamples, rowLength } from './image.ts';
import type { RowSink, RowSource } from './rows.ts';

/** Bytes of a libvips header. */
const HEADER_BYTES = 64;
/** 'b6a6f208', the magic of a file in Intel byte order. https://www.libvips.org/API/current/file-format.html */
const INTEL_MAGIC = 0x08f2a6b6;
const BAND_FORMAT = { 8: 0, 16: 2 } as const; // VIPS_FORMAT_UCHAR, VIPS_FORMAT_USHORT
const CODING_NONE = 0;
const INTERPRETATION = { B_W: 1, SRGB: 22, RGB16: 25, GREY16: 26 } as const;

/**
 * An image on disk: rows are appended from the top and can be read at any time. The file is libvips' own raw format, so
 * that sharp maps it when it encodes and a large result never lies in memory as a whole. Synchronous, for worker processes.
 */
export class ScratchImage implements RowSink, RowSource {
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
    writeWhole(this.#fd, header(shape), 0);
  }

  /** A new file in `folder`, which has a name of its own. */
  static create(folder: string, shape: ImageShape): ScratchImage {
    return new ScratchImage(join(folder, `${randomUUID()}.v`), shape);
  }

  /** Rows written so far. */
  get rowsWritten(): number {
    return this.#written;
  }

  writeRows(rows: Samples): void {
    const count = rows.length / rowLength(this);
    if (!Number.isInteger(count) || this.#written + count > this.height) {
      throw new RangeError(`${rows.length} samples are no rows that ${this.width} x ${this.height} has left`);
    }
    writeWhole(this.#fd, bytesOf(rows), this.#offset(this.#written));
    this.#written += count;
  }

  readRows(y: number, count: number): Samples {
    if (y < 0 || y + count > this.#written) throw new RangeError(`rows ${y} to ${y + count} are not written yet`);
    const rows = allocateSamples(this.depth, count * rowLength(this));
    const bytes = bytesOf(rows);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, this.#offset(y) + done);
      if (read === 0) throw new RangeError(`${this.file} ends at ${fstatSync(this.#fd).size} bytes`);
      done += read;
    }
    return rows;
  }

  /** Closes and removes the file. */
  dispose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
    rmSync(this.file, { force: true });
  }

  #offset(row: number): number {
    return HEADER_BYTES + row * rowLength(this) * (this.depth / 8);
  }
}

function header({ width, height, channels, depth }: ImageShape): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const isGray = channels < 3;
  const interpretation =
    depth === 16
      ? INTERPRETATION[isGray ? 'GREY16' : 'RGB16']
      : INTERPRETATION[isGray ? 'B_W' : 'SRGB'];
  const fields = [INTEL_MAGIC, width, height, channels, 0, BAND_FORMAT[depth], CODING_NONE, interpretation];
  fields.forEach((value, index) => view.setInt32(index * 4, value, true));
  view.setFloat32(32, 1, true); // pixels per mm, both ways
  view.setFloat32(36, 1, true);
  return new Uint8Array(view.buffer);
}

function bytesOf(rows: Samples): Uint8Array {
  return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
}

/** A write may be short, e.g. just before the disk is full; the next one then says so. */
function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
