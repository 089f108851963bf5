import type { Image } from '../imaging/image.ts';
import { maxSample } from '../imaging/image.ts';
import { resampleImage } from '../imaging/pillow/resample.ts';
import { rgbRows } from '../imaging/rgb-rows.ts';
import { rowsOf } from '../imaging/rows.ts';

/** How much larger than life differences are shown. */
export const DIFFERENCE_GAIN = 4;
const MAX_SIDE = 1024;
const GAP = 8;

/**
 * Reference, candidate and their difference (four times as strong, black where they are equal) beside one another: 8-bit
 * RGB, each at most 1024 pixels high and wide.
 */
export function sideBySide(reference: Image, candidate: Image): Image {
  const [left, middle] = [rgbOf(reference), rgbOf(candidate)];
  return joined([left, middle, differenceOf(left, middle)].map(reduced));
}

function rgbOf(image: Image): Image {
  const rows = rgbRows(rowsOf(image), 8);
  return { width: image.width, height: image.height, channels: 3, depth: 8, data: rows.readRows(0, image.height) };
}

function differenceOf(reference: Image, candidate: Image): Image {
  const data = new Uint8Array(reference.data.length);
  for (let i = 0; i < data.length; i++) {
    const apart = Math.abs((reference.data[i] ?? 0) - (candidate.data[i] ?? 0));
    data[i] = Math.min(apart * DIFFERENCE_GAIN, maxSample(8));
  }
  return { ...reference, data };
}

function reduced(image: Image): Image {
  const ratio = MAX_SIDE / Math.max(image.width, image.height);
  if (ratio >= 1) return image;
  const side = (length: number): number => Math.max(1, Math.round(length * ratio));
  return resampleImage(image, side(image.width), side(image.height), 'LANCZOS');
}

function joined(images: readonly Image[]): Image {
  const height = Math.max(...images.map((image) => image.height));
  const width = images.reduce((sum, image) => sum + image.width + GAP, -GAP);
  const data = new Uint8Array(width * height * 3).fill(255);
  let left = 0;
  for (const image of images) {
    const length = image.width * 3;
    for (let y = 0; y < image.height; y++) {
      data.set(image.data.subarray(y * length, (y + 1) * length), (y * width + left) * 3);
    }
    left += image.width + GAP;
  }
  return { width, height, channels: 3, depth: 8, data };
}
