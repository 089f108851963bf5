import { z } from 'zod';
import type { Rectangle } from '../imaging/rectangle.ts';
import { whole } from '../options/values.ts';
import type { Size } from '../processing/result.ts';
import { BadFieldError } from './errors.ts';

/** What of one answer is decoded and sent, at most; a screen has less. */
const MAX_PART_PIXELS = 2 ** 24;

const REGION_ERROR = 'must be x,y,width,height in whole pixels, such as 0,0,512,512';

/** A rectangle as text: `x,y,width,height`. */
export const regionText = z
  .string({ error: REGION_ERROR })
  .regex(/^\d{1,9}(,\d{1,9}){3}$/, { error: REGION_ERROR })
  .describe('x,y,width,height in pixels')
  .transform((text): Rectangle => {
    const [x = 0, y = 0, width = 0, height = 0] = text.split(',').map(Number);
    return { x, y, width, height };
  })
  .refine(({ width, height }) => width > 0 && height > 0, { error: 'must be at least one pixel wide and high' });

/** The query by which a part of a result is asked for. */
export const partQuery = z.object({
  region: regionText.optional(),
  width: whole(1).optional().describe('Width of the answer, in pixels; a part is reduced, never enlarged'),
});

/**
 * The part of a result that a query asks for; undefined where it asks for all of it as it is.
 * @param size of the result
 * @throws BadFieldError where the region is not within the result, or too much is asked for at once
 */
export function partOf(
  size: Size,
  { region = { x: 0, y: 0, ...size }, width }: z.output<typeof partQuery>,
): { readonly region: Rectangle; readonly width: number } | undefined {
  const isWhole = region.x === 0 && region.y === 0 && region.width === size.width && region.height === size.height;
  if (isWhole && (width ?? size.width) >= size.width) return undefined;
  assertWithin(region, size, 'result');
  const sent = Math.min(width ?? region.width, region.width);
  const pixels = sent * Math.max(1, Math.round((region.height * sent) / region.width));
  if (pixels > MAX_PART_PIXELS) {
    throw new BadFieldError(
      'region',
      `would be answered by ${pixels} pixels, at most ${MAX_PART_PIXELS} at once; ask for a smaller region or width`,
    );
  }
  return { region, width: sent };
}

/** @throws BadFieldError where a region is not within `what`, which has this size */
export function assertWithin({ x, y, width, height }: Rectangle, size: Size, what: string): void {
  if (x + width <= size.width && y + height <= size.height) return;
  throw new BadFieldError(
    'region',
    `must lie within the ${what}, which has ${size.width} x ${size.height} pixels`,
    `${x},${y},${width},${height}`,
  );
}
