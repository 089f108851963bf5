import { decodeImage } from '../../imaging/codec/codec.ts';
import type { Image } from '../../imaging/image.ts';
import { proceduralScene } from './scene.ts';
import { BadParameterError } from '../errors.ts';

/** Side of a crop in pixels: a multiple of what any network folds. */
export const CROP_SIDE = 112;
/** Crops that ranges are taken from; a trained network lost 0.1 dB with 4 of them. */
const CALIBRATING = 12;
/** Crops that fidelity is measured on, none of which calibrates. */
const MEASURING = 8;

/** RGB pixels [side, side, 3] of 8 bits. */
export type Crop = Uint8Array;

/**
 * By how much ranges reach beyond what the crops that calibrate show, measured on a trained network: photographs need 1.6 (with 1.0 the
 * worst crop of others fell from 52 to 46 dB). Scenes are harsher than photographs, of which no tensor left their range by more than
 * a tenth; at 1.2 they kept 51.5 dB, at 1.6 50.6.
 */
const MARGINS = { images: 1.6, scenes: 1.2 } as const;

export interface CalibrationCrops {
  readonly source: 'scenes' | 'images';
  readonly margin: number;
  readonly calibrating: readonly Crop[];
  readonly measuring: readonly Crop[];
}

/** Crops of the project's own scenes: scenes that calibrate do not measure. */
export function sceneCrops(): CalibrationCrops {
  const crop = (number: number): Crop => Uint8Array.from(proceduralScene(number, CROP_SIDE).data);
  return {
    source: 'scenes',
    margin: MARGINS.scenes,
    calibrating: Array.from({ length: CALIBRATING }, (_, i) => crop(i)),
    measuring: Array.from({ length: MEASURING }, (_, i) => crop(CALIBRATING + i)),
  };
}

/**
 * Crops of a user's images, spread over all of them. With three images or more, every third measures and calibrates nothing;
 * of fewer, every third crop does.
 * @throws BadParameterError where the images are too small or too few; BadImageError
 */
export async function imageCrops(files: readonly string[], maxPixels: number): Promise<CalibrationCrops> {
  const calibrating: Crop[][] = [];
  const measuring: Crop[][] = [];
  for (const [index, file] of files.entries()) {
    const crops = cropsOf((await decodeImage(file, { maxPixels })).image);
    const isApart = files.length >= 3;
    calibrating.push(crops.filter((_, i) => (isApart ? index : i) % 3 !== 2));
    measuring.push(crops.filter((_, i) => (isApart ? index : i) % 3 === 2));
  }
  const [calibrate, measure] = [inTurn(calibrating, CALIBRATING), inTurn(measuring, MEASURING)];
  if (calibrate.length < 4 || measure.length < 2) {
    throw new BadParameterError(
      `--images: expected images that hold at least 6 crops of ${CROP_SIDE} x ${CROP_SIDE} pixels side by side, got ${calibrate.length + measure.length}`,
    );
  }
  return { source: 'images', margin: MARGINS.images, calibrating: calibrate, measuring: measure };
}

/** One of each list after another until there are `count`. */
function inTurn(lists: readonly (readonly Crop[])[], count: number): Crop[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  const turns = Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1)));
  return turns.flat().slice(0, count);
}

/** Crops that do not overlap, in an order that jumps about the image. */
function cropsOf(image: Image): Crop[] {
  const [columns, rows] = [Math.floor(image.width / CROP_SIDE), Math.floor(image.height / CROP_SIDE)];
  const count = columns * rows;
  const stride = [61, 37, 23, 13, 7, 5, 3, 2].find((step) => step < count && count % step !== 0) ?? 1;
  return Array.from({ length: Math.min(count, CALIBRATING + MEASURING) }, (_, i) => {
    const cell = (i * stride) % count;
    return cropAt(image, (cell % columns) * CROP_SIDE, Math.floor(cell / columns) * CROP_SIDE);
  });
}

function cropAt({ width, channels, depth, data }: Image, left: number, top: number): Crop {
  const crop = new Uint8Array(CROP_SIDE * CROP_SIDE * 3);
  for (let y = 0, at = 0; y < CROP_SIDE; y++) {
    for (let x = 0; x < CROP_SIDE; x++) {
      const from = ((top + y) * width + left + x) * channels;
      for (let channel = 0; channel < 3; channel++) {
        const sample = data[from + (channels < 3 ? 0 : channel)] ?? 0;
        crop[at++] = depth === 16 ? Math.round(sample / 257) : sample;
      }
    }
  }
  return crop;
}
