import { decodeImage } from '../../imaging/codec/codec.ts';
import { comparedPair } from '../../evaluation/compared-samples.ts';
import { ssim } from '../../evaluation/ssim.ts';
import { throughJpeg } from '../../imaging/codec/through-jpeg.ts';
import type { Image } from '../../imaging/image.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { resampleImage } from '../../imaging/pillow/resample.ts';
import { BadParameterError } from '../errors.ts';
import { proceduralScene } from './scene.ts';

/** Sides in pixels of what calibrates, and of what measures once it is reduced: multiples of what any network folds. */
export const CROP_SIDE = 96;
export const PAIR_SIDE = 64;
/** Crops that calibrate; half of them are pictures as they are, half of them reduced: sharper. */
const CALIBRATING = 8;
/** Pairs that measure, none of which calibrates. */
const MEASURING = 12;
/** Of the pairs every third was a JPEG before it is enlarged. */
const JPEG_QUALITY = 88;

/**
 * By how much ranges reach beyond what the crops that calibrate show. Wider ranges are safe from clipping, but coarser: of the weights
 * that people use (x4plus, x4plus_anime_6B), 1.05 comes nearest on pictures that calibrated nothing. Photographs are milder than the scenes,
 * and few of them show less.
 */
const MARGINS = { images: 1.2, scenes: 1.05 } as const;

/** RGB pictures of 8 bits. */
export interface MeasuringPair {
  /** [PAIR_SIDE, PAIR_SIDE] */
  readonly reduced: Image;
  /** The same before it was reduced by the network's scale. */
  readonly original: Image;
}

export interface CalibrationCrops {
  readonly source: 'scenes' | 'images';
  readonly margin: number;
  /** RGB, 8 bits, [CROP_SIDE, CROP_SIDE]. */
  readonly calibrating: readonly Image[];
  readonly measuring: readonly MeasuringPair[];
}

/** How many crops there are to be. */
interface Counts {
  readonly calibrating: number;
  readonly measuring: number;
}

/** Crops of the project's own scenes: scenes that calibrate do not measure. @param scale that of the network */
export async function sceneCrops(
  scale: number,
  counts: Counts = { calibrating: CALIBRATING, measuring: MEASURING },
): Promise<CalibrationCrops> {
  // Of each scene one crop as it is, and one reduced.
  const calibrating = Array.from({ length: counts.calibrating }, (_, i) => {
    const side = i % 2 === 0 ? CROP_SIDE : CROP_SIDE * scale;
    return reducedTo(CROP_SIDE, proceduralScene(i >> 1, side));
  });
  const measuring: MeasuringPair[] = [];
  for (let number = CALIBRATING; measuring.length < counts.measuring; number++) {
    measuring.push(...(await pairsOf([proceduralScene(number, PAIR_SIDE * scale)], measuring.length)));
  }
  return { source: 'scenes', margin: MARGINS.scenes, calibrating, measuring };
}

/**
 * Crops of a user's images, spread over all of them. With three images or more, every third measures and calibrates nothing;
 * of fewer, every third crop does.
 * @param scale that of the network
 * @throws BadParameterError where the images are too small or too few; BadImageError
 */
export async function imageCrops(
  files: readonly string[],
  { maxPixels, scale }: { readonly maxPixels: number; readonly scale: number },
): Promise<CalibrationCrops> {
  const calibrating: Image[][] = [];
  const measuring: Image[][] = [];
  const isApart = files.length >= 3;
  const isMeasuring = (number: number): boolean => number % 3 === 2;
  for (const [index, file] of files.entries()) {
    const { image } = await decodeImage(file, { maxPixels });
    const whole = rgbOf(image);
    if (isApart && isMeasuring(index)) measuring.push(cropsOf(whole, PAIR_SIDE * scale));
    else if (isApart) calibrating.push([...cropsOf(whole, CROP_SIDE), ...cropsOf(halfOf(whole), CROP_SIDE)]);
    else {
      const cells = cropsOf(whole, Math.max(CROP_SIDE, PAIR_SIDE * scale));
      calibrating.push(cells.filter((_, i) => !isMeasuring(i)).flatMap((cell) => cropsOf(cell, CROP_SIDE)));
      measuring.push(cells.filter((_, i) => isMeasuring(i)).flatMap((cell) => cropsOf(cell, PAIR_SIDE * scale)));
    }
  }
  const [calibrate, measure] = [inTurn(calibrating, CALIBRATING), inTurn(measuring, MEASURING)];
  const pairs = await pairsOf(measure);
  if (calibrate.length < 4 || pairs.length < 2) throw tooSmall(scale, [calibrate.length, pairs.length]);
  return { source: 'images', margin: MARGINS.images, calibrating: calibrate, measuring: pairs };
}

function tooSmall(scale: number, [calibrating, measuring]: readonly [number, number]): BadParameterError {
  const side = PAIR_SIDE * scale;
  return new BadParameterError(
    `--images: expected images with room for 4 crops of ${CROP_SIDE} x ${CROP_SIDE} pixels to calibrate on and, in every third image, for 2 of ${side} x ${side} to measure on; got ${calibrating} and ${measuring}`,
  );
}

/** All pairs that images have room for. @throws BadImageError */
export async function originalPairs(
  files: readonly string[],
  { maxPixels, scale }: { readonly maxPixels: number; readonly scale: number },
): Promise<MeasuringPair[]> {
  const images: Image[] = [];
  for (const file of files) images.push(rgbOf((await decodeImage(file, { maxPixels })).image));
  return pairsOf(images.flatMap((image) => cropsOf(image, PAIR_SIDE * scale)));
}

/**
 * Originals, and what is enlarged to come back to them. Left out are originals that nothing could come back to: of which reducing leaves
 * less than half (SSIM of what BICUBIC makes of it), as of noise and of weaves as fine as a pixel.
 * @param first the place of the first in a longer list
 */
async function pairsOf(originals: readonly Image[], first = 0): Promise<MeasuringPair[]> {
  const pairs: MeasuringPair[] = [];
  for (const original of originals) {
    const reduced = reducedTo(PAIR_SIDE, original);
    const plain = resampleImage(reduced, original.width, original.height, 'BICUBIC');
    if (ssim(comparedPair(original, plain, { cropBorder: 0, isLumaOnly: true })) < MIN_LEFT) continue;
    const isJpeg = (first + pairs.length) % 3 === 2;
    pairs.push({ original, reduced: isJpeg ? await throughJpeg(reduced, JPEG_QUALITY) : reduced });
  }
  return pairs;
}

const MIN_LEFT = 0.5;

function reducedTo(side: number, image: Image): Image {
  return image.width === side ? image : resampleImage(image, side, side, 'BICUBIC');
}

function halfOf(image: Image): Image {
  const [width, height] = [image.width >> 1, image.height >> 1];
  return Math.min(width, height) < CROP_SIDE ? image : resampleImage(image, width, height, 'BICUBIC');
}

/** One of each list after another until there are `count`. */
function inTurn(lists: readonly (readonly Image[])[], count: number): Image[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const turns = Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1)));
  return turns.flat().slice(0, count);
}

/** Crops that do not overlap, in an order that jumps about the image. */
function cropsOf(image: Image, side: number): Image[] {
  const [columns, rows] = [Math.floor(image.width / side), Math.floor(image.height / side)];
  const count = columns * rows;
  const stride = [61, 37, 23, 13, 7, 5, 3, 2].find((step) => step < count && count % step !== 0) ?? 1;
  return Array.from({ length: Math.min(count, CALIBRATING + MEASURING) }, (_, i) => {
    const cell = (i * stride) % count;
    return cropOf(image, {
      x: (cell % columns) * side,
      y: Math.floor(cell / columns) * side,
      width: side,
      height: side,
    });
  });
}

/** A part of an RGB picture of 8 bits. */
export function cropOf(image: Image, { x, y, width, height }: Rectangle): Image {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * 3;
    data.set(image.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, channels: 3, depth: 8, data };
}

/** Gray is repeated, alpha left out, 16 bits become 8. */
function rgbOf({ width, height, channels, depth, data }: Image): Image {
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < rgb.length; at++) {
    const sample = data[Math.floor(at / 3) * channels + (channels < 3 ? 0 : at % 3)] ?? 0;
    rgb[at] = depth === 16 ? Math.round(sample / 257) : sample;
  }
  return { width, height, channels: 3, depth: 8, data: rgb };
}
