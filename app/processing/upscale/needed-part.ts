import type { ImageShape } from '../../imaging/image.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { sourceRegion } from '../../imaging/pillow/resample.ts';
import type { Size } from '../result.ts';
import type { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import type { TilingOptions } from './tile-grid.ts';

/** What of a result is wanted, where that is not all of it. */
export interface WantedPart {
  /** Of the whole result. */
  readonly whole: Size;
  readonly region: Rectangle;
}

/**
 * Where a region of the input lies in a result of the size `whole`: every pixel that has some of it.
 * @param region within the input
 */
export function regionOfResult(input: Size, whole: Size, region: Rectangle): Rectangle {
  const across = scaledSide(region.x, region.width, whole.width / input.width, whole.width);
  const down = scaledSide(region.y, region.height, whole.height / input.height, whole.height);
  return { x: across.start, y: down.start, width: across.length, height: down.length };
}

/**
 * What each pass of a network has to make for a part of its result: by pass, in pixels of what that pass reads.
 * @param shapes of what each pass reads
 */
export function neededByPass(
  network: RealESRGANUpscaler,
  shapes: readonly ImageShape[],
  tilings: readonly TilingOptions[],
  { whole, region }: WantedPart,
): readonly Rectangle[] {
  const last = shapes.at(-1);
  if (!last) return [];
  const made = { width: last.width * network.scale, height: last.height * network.scale };
  let wanted = sourceRegion(made, { whole, region }, 'LANCZOS');
  const needed: Rectangle[] = [];
  for (let pass = shapes.length - 1; pass >= 0; pass--) {
    const [shape, tiling] = [shapes[pass], tilings[pass]];
    if (!shape || !tiling) continue;
    const part = reducedBy(network.scale, wanted);
    needed.unshift(part);
    wanted = network.seenFor(shape, tiling, part);
  }
  return needed;
}

/** The input pixels that a rectangle of a network's result is made of. */
function reducedBy(scale: number, { x, y, width, height }: Rectangle): Rectangle {
  const [left, top] = [Math.floor(x / scale), Math.floor(y / scale)];
  const [right, bottom] = [Math.ceil((x + width) / scale), Math.ceil((y + height) / scale)];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function scaledSide(start: number, length: number, factor: number, size: number) {
  const from = Math.min(Math.floor(start * factor), size - 1);
  const end = Math.min(size, Math.max(from + 1, Math.ceil((start + length) * factor)));
  return { start: from, length: end - from };
}
