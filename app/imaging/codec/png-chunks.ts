import type { Density } from './metadata/density.ts';
import { densityOf } from './metadata/density.ts';
import { crc32, inflateSync } from 'node:zlib';
import { BadImageError } from '../errors.ts';
import { exifBody, orientationAlone } from './exif/exif.ts';
import { COLOR_CHUNKS, METADATA_LIMITS } from './metadata/metadata.ts';
import type { PngText } from './metadata/png-text.ts';
import { readPngText, unpacked } from './metadata/png-text.ts';

/** A PNG taken apart: what libvips is given, and what is kept aside. */
export interface PngParts {
  readonly width: number;
  readonly height: number;
  /** The file with nothing but IHDR, eXIf, PLTE, tRNS, IDAT, IEND. */
  readonly pixels: Uint8Array;
  /** Whole chunks, for `ImageMetadata.pngChunks`. */
  readonly chunks: readonly Uint8Array[];
  readonly icc: Uint8Array | undefined;
  readonly xmp: Uint8Array | undefined;
  /** Pixels per inch. */
  readonly density: Density | undefined;
  /** Frames of an animation; 1 for a still. */
  readonly frames: number;
  /** What of EXIF and texts is not kept, one sentence each. */
  readonly leftOut: readonly string[];
  readonly warnings: readonly string[];
}

/** A chunk of a PNG; its bytes are views of the file. */
export interface Chunk {
  readonly type: string;
  readonly data: Buffer;
  /** Length to CRC. */
  readonly whole: Buffer;
}

const SIGNATURE_BYTES = 8;
const FRAME_BYTES = 12;
/** Where a PNG's second chunk begins: the first is its IHDR. */
export const PNG_AFTER_HEADER = SIGNATURE_BYTES + FRAME_BYTES + 13;
const FOR_PIXELS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const TEXT = new Set(['tEXt', 'zTXt', 'iTXt']);
const READ_BESIDE_PIXELS = new Set([...TEXT, ...COLOR_CHUNKS, 'eXIf', 'iCCP', 'pHYs']);
const MAX_OTHER_CHUNKS = 10_000;
/** Compressed texts that are tried in vain before all others are dropped unseen: each takes time. */
const MAX_BOMBS = 8;
/** The keyword of the text chunk that is an XMP packet. */
export const XMP_KEYWORD = 'XML:com.adobe.xmp';
const INCHES_PER_METRE = 0.0254;

/**
 * Walks the chunks of a PNG without decoding anything: libpng would inflate every compressed text, so that a kilobyte file
 * takes a gigabyte. Texts are set aside as they are, but for those that inflate to more than is kept, which would do to the readers
 * of a result what they are kept from here; the ICC profile is inflated up to a limit too.
 *
 * @param file a whole file that starts with the PNG signature
 * @throws BadImageError for a file that ends early, has no header, or more chunks than a picture has
 */
export function readPngParts(file: Uint8Array, name: string): PngParts {
  const collected = new PngCollector();
  let others = 0;
  let isFirst = true;
  for (const chunk of chunksOf(file, name)) {
    if (isFirst && (chunk.type !== 'IHDR' || chunk.data.length !== 13)) {
      throw new BadImageError(
        name,
        `expected a PNG that starts with its IHDR chunk, got ${JSON.stringify(chunk.type)}`,
      );
    }
    isFirst = false;
    others += chunk.type === 'IDAT' ? 0 : 1;
    if (others > MAX_OTHER_CHUNKS) {
      throw new BadImageError(
        name,
        `expected a PNG with at most ${MAX_OTHER_CHUNKS} chunks besides its pixels, got more`,
      );
    }
    collected.add(chunk);
  }
  return collected.parts(file.subarray(0, SIGNATURE_BYTES));
}

/** The data of the first chunk of a type. @throws BadImageError for a file that ends early */
export function readPngChunk(file: Uint8Array, type: string): Uint8Array | undefined {
  for (const chunk of chunksOf(file, type)) if (chunk.type === type) return chunk.data;
  return undefined;
}

/** The whole chunks that say a PNG's colours. @throws BadImageError for a file that ends before its pixels */
export function readColorChunks(file: Uint8Array, name: string): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const { type, whole } of chunksOf(file, name)) {
    if (type === 'IDAT') break; // behind the pixels they say nothing
    if (COLOR_CHUNKS.has(type)) found.push(Uint8Array.from(whole)); // a copy does not hold on to the file
  }
  return found;
}

/** A PNG with further whole chunks, right after its header. */
export function withPngChunks(file: Uint8Array, chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([file.subarray(0, PNG_AFTER_HEADER), ...chunks, file.subarray(PNG_AFTER_HEADER)]);
}

/** A whole chunk: length, type, data, CRC. */
export function makePngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(FRAME_BYTES + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** An uncompressed iTXt chunk with an XMP packet, as the XMP specification (part 3, 1.1.5) wants it. */
export function makeXmpChunk(xmp: Uint8Array): Uint8Array {
  return makePngChunk('iTXt', Buffer.concat([Buffer.from(`${XMP_KEYWORD}\0\0\0\0\0`, 'latin1'), xmp]));
}

/** The chunks of a PNG up to its end. @throws BadImageError for a file that ends early */
export function* chunksOf(file: Uint8Array, name: string): Generator<Chunk> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (let at = SIGNATURE_BYTES; ;) {
    const end = at + 8 <= bytes.length ? at + FRAME_BYTES + bytes.readUInt32BE(at) : Infinity;
    if (end > bytes.length) {
      throw new BadImageError(
        name,
        `the file ends early: ${bytes.length} bytes came, and the PNG's IEND chunk is not among them`,
      );
    }
    const type = bytes.toString('latin1', at + 4, at + 8);
    yield { type, data: bytes.subarray(at + 8, end - 4), whole: bytes.subarray(at, end) };
    if (type === 'IEND') return; // what follows is not the picture's
    at = end;
  }
}

/** Whether its checksum is right: what is not would make readers refuse a result that has it. */
function isWhole({ whole }: Chunk): boolean {
  return crc32(whole.subarray(4, -4)) === whole.readUInt32BE(whole.length - 4);
}

class PngCollector {
  readonly #forPixels: Buffer[] = [];
  readonly #color: Buffer[] = [];
  readonly #texts: Buffer[] = [];
  readonly #warnings: string[] = [];
  readonly #leftOut: string[] = [];
  readonly #damaged = new Set<string>();
  #textBytes = 0;
  #droppedTexts = 0;
  #bombs = 0;
  #width = 0;
  #height = 0;
  #exif: Buffer | undefined;
  #icc: Uint8Array | undefined;
  #xmp: Uint8Array | undefined;
  #density: Density | undefined;
  #frames = 1;

  add(chunk: Chunk): void {
    if (READ_BESIDE_PIXELS.has(chunk.type) && !isWhole(chunk)) {
      this.#damaged.add(chunk.type);
      return;
    }
    if (chunk.type === 'eXIf') this.#exif ??= this.#boundedExif(chunk);
    if (FOR_PIXELS.has(chunk.type)) this.#forPixels.push(chunk.whole);
    if (COLOR_CHUNKS.has(chunk.type)) this.#color.push(chunk.whole);
    if (TEXT.has(chunk.type)) this.#addText(chunk);
    this.#read(chunk);
  }

  parts(signature: Uint8Array): PngParts {
    if (this.#droppedTexts > 0) {
      const { textChunks, text } = METADATA_LIMITS;
      this.#leftOut.push(
        `${this.#droppedTexts} text chunks dropped: at most ${textChunks} chunks and ${text} bytes are kept`,
      );
    }
    for (const type of this.#damaged) {
      const told = COLOR_CHUNKS.has(type) || type === 'iCCP' ? this.#warnings : this.#leftOut;
      told.push(`the chunk ${type} of the file is damaged and left out`);
    }
    return {
      width: this.#width,
      height: this.#height,
      pixels: this.#pixels(signature),
      // Copies, so that a few chunks do not hold on to the whole file.
      chunks: [...this.#color, ...this.#texts].map((chunk) => Uint8Array.from(chunk)),
      icc: this.#icc,
      xmp: this.#xmp,
      density: this.#density,
      frames: this.#frames,
      leftOut: this.#leftOut,
      warnings: this.#warnings,
    };
  }

  /** EXIF may stand behind the pixels, where the decoder does not look for it. */
  #pixels(signature: Uint8Array): Buffer {
    const [header, ...others] = this.#forPixels;
    return Buffer.concat([signature, ...(header ? [header] : []), ...(this.#exif ? [this.#exif] : []), ...others]);
  }

  /** What is too large to be kept still says how the picture is turned. */
  #boundedExif({ data, whole }: Chunk): Buffer | undefined {
    if (data.length <= METADATA_LIMITS.exif) {
      // Some writers leave in front of it what belongs there in JPEG alone, and the decoder then takes it for nothing.
      const body = exifBody(data);
      return body && body.length < data.length ? Buffer.from(makePngChunk('eXIf', body)) : whole;
    }
    this.#leftOut.push(`EXIF of ${data.length} bytes dropped: at most ${METADATA_LIMITS.exif} are kept`);
    const turned = orientationAlone(data);
    return turned && Buffer.from(makePngChunk('eXIf', turned));
  }

  #addText({ type, whole }: Chunk): void {
    const read = readPngText(whole);
    if (!read) {
      this.#damaged.add(type);
      return;
    }
    const { text, textChunks } = METADATA_LIMITS;
    const room = text - this.#textBytes - whole.length;
    const bytes = this.#texts.length < textChunks && room >= 0 ? this.#unpacked(read, room) : undefined;
    if (!bytes) {
      this.#droppedTexts++;
      return;
    }
    this.#texts.push(whole);
    this.#textBytes += whole.length + (read.isPacked ? bytes.length : 0);
    if (read.keyword === XMP_KEYWORD) this.#xmp = bytes;
  }

  /** A text that takes no more than `room` once it is unpacked. */
  #unpacked(text: PngText, room: number): Buffer | undefined {
    if (text.isPacked && this.#bombs >= MAX_BOMBS) return undefined;
    const bytes = unpacked(text, room);
    if (!bytes) this.#bombs++;
    return bytes;
  }

  #read({ type, data }: Chunk): void {
    switch (type) {
      case 'IHDR':
        [this.#width, this.#height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
        break;
      case 'acTL':
        if (data.length >= 4) this.#frames = data.readUInt32BE(0);
        break;
      case 'pHYs':
        if (data.length !== 9) break;
        this.#density = densityOf(data.readUInt32BE(0), data.readUInt32BE(4), data[8] === 1 ? INCHES_PER_METRE : 0);
        break;
      case 'iCCP':
        this.#readProfile(data);
        break;
    }
  }

  #readProfile(data: Buffer): void {
    try {
      const compressed = data.subarray(data.indexOf(0) + 2);
      this.#icc = inflateSync(compressed, { maxOutputLength: METADATA_LIMITS.icc });
    } catch {
      this.#warnings.push(`ICC profile dropped: it is damaged or larger than ${METADATA_LIMITS.icc} bytes`);
    }
  }
}
