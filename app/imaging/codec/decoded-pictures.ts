import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sharp } from './codec-sharp.ts';

/** What a picture can be read from: the path of a raw file, which libvips maps, or the bytes of its own file. */
export type PictureSource = string | Buffer;

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
  /** Of its decoded file; none where there is none. */
  bytes?: number;
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
    const isDecoded = await this.#isDecoded(file);
    try {
      if (isDecoded) return await read(decodedPath(file));
    } catch {
      await this.#drop(file); // it went meanwhile
    }
    return read(await readFile(file));
  }

  async #isDecoded(file: string): Promise<boolean> {
    const before = this.#asked.get(file);
    const asked = before ?? {};
    this.#asked.delete(file);
    this.#asked.set(file, asked);
    if (before) await (asked.decoding ??= this.#decode(file, asked));
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MAX_REMEMBERED && oldest !== undefined) await this.#drop(oldest);
    return asked.bytes !== undefined;
  }

  /** A disk that is full keeps nobody from looking. */
  async #decode(file: string, asked: Asked): Promise<void> {
    const unfinished = `${file}.${randomUUID()}.v`;
    try {
      const picture = await openPicture(await readFile(file));
      const bytes = await decodedBytes(picture);
      if (bytes < this.#bounds.minBytes || bytes > (await this.#room(file))) return;
      await picture.toFile(unfinished);
      await rename(unfinished, decodedPath(file));
      asked.bytes = bytes;
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
    for (const [file, { bytes }] of [...this.#asked]) {
      if (this.#bytes <= this.#bounds.maxBytes) return;
      if (file !== newest && bytes !== undefined) await this.#drop(file);
    }
  }

  async #drop(file: string): Promise<void> {
    const asked = this.#asked.get(file);
    this.#asked.delete(file);
    if (asked) await this.#remove(file, asked);
  }

  async #remove(file: string, asked: Asked): Promise<void> {
    if (asked.bytes === undefined) return;
    this.#bytes -= asked.bytes;
    delete asked.bytes;
    await rm(decodedPath(file), { force: true }).catch(() => undefined); // one that is open stays for its folder to go
  }
}

/** Beside the file: whoever removes its folder removes it too. */
function decodedPath(file: string): string {
  return `${file}.v`;
}

/** A picture as a pipeline: samples, depth and profile as they are. */
export async function openPicture(source: PictureSource): Promise<ReturnType<typeof sharp>> {
  const picture = sharp(source, { sequentialRead: typeof source !== 'string', limitInputPixels: false });
  const { space } = await picture.metadata();
  return picture.keepIccProfile().toColourspace(SPACES.has(space) ? space : 'srgb');
}

async function decodedBytes(picture: ReturnType<typeof sharp>): Promise<number> {
  const { width, height, channels, depth } = await picture.metadata();
  return width * height * channels * (depth === 'ushort' ? 2 : 1);
}
