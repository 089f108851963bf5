import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sharp } from './codec-sharp.ts';
import { outputColors } from './color/output-colors.ts';
import { readStatedColor } from './color/read-stated-color.ts';
import { readColorChunks } from './png-chunks.ts';
import { SNIFF_BYTES, sniffFormat } from './sniff-format.ts';
import { vipsWork } from './vips-work.ts';

/** What a picture can be read from. */
export interface PictureSource {
  /** The path of a raw file, which libvips maps, or the bytes of the picture's own file. */
  readonly pixels: string | Buffer;
  /** What its file says of its colours beside a profile, as whole chunks of a PNG. */
  readonly colorChunks: readonly Uint8Array[];
}

/** Spaces of pixels that a PNG can have as well. */
const SPACES: ReadonlySet<string> = new Set(['b-w', 'grey16', 'srgb', 'rgb16']);
/** What is decoded takes no more than this share of what the disk has left. */
const SHARE_OF_DISK = 0.25;
/** Of pictures that were asked for once, so many are remembered. */
const MAX_REMEMBERED = 64;

/** Of decoded pictures, in bytes. */
interface Bounds {
  /** Smaller ones are decoded as soon as a file of theirs would be opened. */
  readonly minBytes: number;
  /** Of all of them together. */
  readonly maxBytes: number;
}

/** A picture that was asked for. */
interface Asked {
  /** From the second time on. */
  decoding?: Promise<void>;
  /** None where there is no decoded file. */
  decoded?: { readonly bytes: number; readonly colorChunks: readonly Uint8Array[] };
}

/**
 * Pictures of which parts are asked for again and again, decoded, on disk beside their files: a part then costs what it shows and not
 * what the file holds. Whoever asks once gets it out of the file itself. What was not asked for the longest goes first.
 */
export class DecodedPictures {
  readonly #bounds: Bounds;
  /** By file, the least recently asked for first. */
  readonly #asked = new Map<string, Asked>();
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Reads a picture file of ours, from its decoded form where there is one. */
  async reading<T>(file: string, read: (source: PictureSource) => Promise<T>): Promise<T> {
    const decoded = await this.#decodedOf(file);
    try {
      if (decoded) return await read({ pixels: decodedPath(file), colorChunks: decoded.colorChunks });
    } catch {
      await this.#drop(file); // it went meanwhile
    }
    return read(await sourceOf(file));
  }

  async #decodedOf(file: string): Promise<Asked['decoded']> {
    const before = this.#asked.get(file);
    const asked = before ?? {};
    this.#asked.delete(file);
    this.#asked.set(file, asked);
    if (before) await (asked.decoding ??= this.#decode(file, asked));
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_REMEMBERED && oldest !== undefined) await this.#drop(oldest);
    return asked.decoded;
  }

  /** A disk that is full keeps nobody from looking. */
  async #decode(file: string, asked: Asked): Promise<void> {
    const unfinished = `${file}.${randomUUID()}.v`;
    try {
      const source = await sourceOf(file);
      const picture = await openPicture(source);
      const bytes = await decodedBytes(picture);
      if (bytes < this.#bounds.minBytes || bytes > (await this.#room(file))) return;
      await vipsWork(() => picture.toFile(unfinished));
      await rename(unfinished, decodedPath(file));
      asked.decoded = { bytes, colorChunks: source.colorChunks };
      this.#bytes += bytes;
      if (this.#asked.get(file) !== asked) await this.#remove(file, asked);
      await this.#evict(file);
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  }

  async #room(file: string): Promise<number> {
    const { bavail, bsize } = await statfs(dirname(file));
    return Math.min(this.#bounds.maxBytes, bavail * bsize * SHARE_OF_DISK);
  }

  async #evict(newest: string): Promise<void> {
    for (const [file, { decoded }] of [...this.#asked]) {
      if (this.#bytes <= this.#bounds.maxBytes) return;
      if (file !== newest && decoded) await this.#drop(file);
    }
  }

  async #drop(file: string): Promise<void> {
    const asked = this.#asked.get(file);
    this.#asked.delete(file);
    if (asked) await this.#remove(file, asked);
  }

  async #remove(file: string, asked: Asked): Promise<void> {
    if (!asked.decoded) return;
    this.#bytes -= asked.decoded.bytes;
    delete asked.decoded;
    await rm(decodedPath(file), { force: true }).catch(() => undefined); // one that is open stays for its folder to go
  }
}

/** Beside the file: whoever removes its folder removes it too. */
function decodedPath(file: string): string {
  return `${file}.v`;
}

async function sourceOf(file: string): Promise<PictureSource> {
  const pixels = await readFile(file);
  const { icc, channels } = await vipsWork(() => sharp(pixels, { limitInputPixels: false }).metadata());
  const format = sniffFormat(pixels.subarray(0, SNIFF_BYTES), file);
  const pngChunks = format === 'png' ? readColorChunks(pixels, file) : [];
  const { color } = readStatedColor({ format, bytes: pixels }, pngChunks, icc !== undefined);
  return { pixels, colorChunks: outputColors({ channels }, 'png', { icc, color, pngChunks }).chunks };
}

/** A picture as a pipeline: samples, depth and profile as they are. */
export async function openPicture({ pixels }: Pick<PictureSource, 'pixels'>): Promise<ReturnType<typeof sharp>> {
  const picture = sharp(pixels, { sequentialRead: typeof pixels !== 'string', limitInputPixels: false });
  const { space } = await vipsWork(() => picture.metadata());
  return picture.keepIccProfile().toColourspace(SPACES.has(space) ? space : 'srgb');
}

async function decodedBytes(picture: ReturnType<typeof sharp>): Promise<number> {
  const { width, height, channels, depth } = await vipsWork(() => picture.metadata());
  return width * height * channels * (depth === 'ushort' ? 2 : 1);
}
