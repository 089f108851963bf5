import sharp from 'sharp';
import { tinyPng } from './hostile-images.ts';
import { gradient } from './images.ts';
import { headerChunk, joinPng, writePng } from './png.ts';
import { deflateSync } from 'node:zlib';
import type { ImageShape } from '../../../app/imaging/image.ts';

/** An image file, and what an upscale by 2 makes of it. */
export interface InputImage {
  readonly name: string;
  readonly bytes: () => Promise<Buffer> | Buffer;
  /** Width, height, channels and bits of the result. */
  readonly result: readonly [width: number, height: number, channels: 1 | 2 | 3 | 4, depth: 8 | 16];
}

const png = (shape: ImageShape): Buffer => writePng(gradient(shape));
const rgb = (width: number, height: number): Buffer => png({ width, height, channels: 3, depth: 8 });

/** Good input that often breaks programs. */
export const DIFFICULT_IMAGES: readonly InputImage[] = [
  { name: '1x1.png', bytes: () => rgb(1, 1), result: [2, 2, 3, 8] },
  { name: '1x5000.png', bytes: () => rgb(1, 5000), result: [2, 10_000, 3, 8] },
  { name: '5x3.png', bytes: () => rgb(5, 3), result: [10, 6, 3, 8] },
  { name: 'one-gray-pixel.png', bytes: () => tinyPng(), result: [2, 2, 1, 8] },
  {
    name: 'palette.png',
    bytes: () => sharp(rgb(20, 12)).png({ palette: true, colors: 5 }).toBuffer(),
    result: [40, 24, 3, 8],
  },
  { name: 'one-bit.png', bytes: () => oneBitPng(17, 9), result: [34, 18, 1, 8] },
  { name: 'cmyk.jpg', bytes: () => sharp(rgb(16, 12)).toColourspace('cmyk').jpeg().toBuffer(), result: [32, 24, 3, 8] },
  {
    name: '16-bit-gray.png',
    bytes: () => png({ width: 11, height: 7, channels: 1, depth: 16 }),
    result: [22, 14, 1, 16],
  },
  { name: 'gray-alpha.png', bytes: () => png({ width: 11, height: 7, channels: 2, depth: 8 }), result: [22, 14, 2, 8] },
  {
    name: 'alpha-16-bit.png',
    bytes: () => png({ width: 9, height: 8, channels: 4, depth: 16 }),
    result: [18, 16, 4, 16],
  },
  {
    name: 'lying.jpg',
    bytes: () => sharp(rgb(20, 10)).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    result: [20, 40, 3, 8],
  },
  { name: 'animated.gif', bytes: animation, result: [12, 8, 3, 8] },
];

/** A checkerboard of bits, eight to a byte. */
function oneBitPng(width: number, height: number): Buffer {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(Math.ceil(width / 8), 0b10101010)]);
  return joinPng([
    headerChunk(width, height, 1, 0),
    { type: 'IDAT', data: deflateSync(Buffer.concat(Array<Buffer>(height).fill(row))) },
    { type: 'IEND', data: new Uint8Array(0) },
  ]);
}

/** Two frames, of which the first is used. */
function animation(): Promise<Buffer> {
  const frames = Buffer.concat([Buffer.alloc(6 * 4 * 3, 60), Buffer.alloc(6 * 4 * 3, 200)]);
  return sharp(frames, { raw: { width: 6, height: 8, channels: 3, pageHeight: 4 } })
    .gif()
    .toBuffer();
}
