import { createRequire } from 'node:module';
import { assertAllowedSize, BadImageError, UnsupportedImageError } from '../../errors.ts';
import type { Image } from '../../image.ts';
import { withChannels } from './channels.ts';

/** The decoder of HEIC, which is installed by who wants it: its licence and HEVC's patents are not for everybody. */
const DECODER = 'libheif-js/wasm-bundle';
const RGBA = 4;
const HEIC_ADVICE =
  'convert it first, or have its decoder installed: `npm install libheif-js` beside hiresfix (with `-g` where it is)';

/** What is used of `libheif-js`. */
interface HeifLibrary {
  readonly HeifDecoder: new () => { decode(file: Uint8Array): readonly HeifPicture[] };
}

interface HeifPicture {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  has_alpha_channel(): boolean;
  display(into: Canvas, done: (canvas: Canvas | null) => void): void;
}

interface Canvas {
  readonly data: Pick<Uint8Array, 'set'>;
  readonly width: number;
  readonly height: number;
}

/** Takes what is drawn, also where it is of another size than the file says: what is thrown while it is, nobody can catch. */
class DrawnPixels {
  readonly samples: Uint8Array;
  #taken = 0;
  #isWithin = true;

  constructor(length: number) {
    this.samples = new Uint8Array(length);
  }

  /** Whether all was drawn, and nothing beside it. */
  get isWhole(): boolean {
    return this.#isWithin && this.#taken === this.samples.length;
  }

  set(part: ArrayLike<number>, at = 0): void {
    this.#taken += part.length;
    this.#isWithin &&= at + part.length <= this.samples.length;
    if (this.#isWithin) this.samples.set(part, at);
  }
}

/** Whether the decoder of HEIC is installed where this program finds it. */
export function canDecodeHeic(): boolean {
  try {
    createRequire(import.meta.url).resolve(DECODER);
    return true;
  } catch {
    return false;
  }
}

/** @throws UnsupportedImageError where the decoder of HEIC is not installed, with how to install it */
export function assertDecodesHeic(name: string): void {
  if (!canDecodeHeic()) throw new UnsupportedImageError(name, 'an HEIC image', HEIC_ADVICE);
}

/**
 * Decodes the primary picture of an HEIC file: upright, 8 bits, RGB with alpha where the file has it. What is coded in more bits
 * is rounded by the decoder.
 * @param name the file, for messages
 * @throws BadImageError for what the decoder cannot read; ImageTooLargeError
 */
export async function decodeHeic(file: Uint8Array, name: string, maxPixels: number): Promise<Image> {
  const pictures = new (loadDecoder().HeifDecoder)().decode(file);
  const picture = pictures.find((one) => one.is_primary()) ?? pictures[0];
  if (!picture) throw damaged(name);
  const [width, height] = [picture.get_width(), picture.get_height()];
  assertAllowedSize(name, { width, height }, maxPixels); // by what it shows; until now it was by what is coded
  const pixels = new DrawnPixels(width * height * RGBA);
  const drawn = await new Promise<Canvas | null>((done) => picture.display({ data: pixels, width, height }, done));
  if (!drawn || !pixels.isWhole) throw damaged(name);
  const image: Image = { width, height, channels: RGBA, depth: 8, data: pixels.samples };
  return picture.has_alpha_channel() ? image : withChannels(image, [0, 1, 2]);
}

function loadDecoder(): HeifLibrary {
  return createRequire(import.meta.url)(DECODER) as HeifLibrary;
}

function damaged(name: string): BadImageError {
  return new BadImageError(name, 'expected a whole HEIC image, but it is damaged, ends early or is coded otherwise');
}
