import { createRequire } from 'node:module';
import { BadImageError, UnsupportedImageError } from '../../errors.ts';
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
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
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
 * @throws BadImageError for what the decoder cannot read
 */
export async function decodeHeic(file: Uint8Array, name: string): Promise<Image> {
  const pictures = new (loadDecoder().HeifDecoder)().decode(file);
  const picture = pictures.find((one) => one.is_primary()) ?? pictures[0];
  if (!picture) throw damaged(name);
  const [width, height] = [picture.get_width(), picture.get_height()];
  const canvas = { data: new Uint8Array(width * height * RGBA), width, height };
  const drawn = await new Promise<Canvas | null>((done) => picture.display(canvas, done));
  if (!drawn) throw damaged(name);
  const image: Image = { width, height, channels: RGBA, depth: 8, data: drawn.data };
  return picture.has_alpha_channel() ? image : withChannels(image, [0, 1, 2]);
}

function loadDecoder(): HeifLibrary {
  return createRequire(import.meta.url)(DECODER) as HeifLibrary;
}

function damaged(name: string): BadImageError {
  return new BadImageError(name, 'expected a whole HEIC image, but it is damaged, ends early or is coded otherwise');
}
