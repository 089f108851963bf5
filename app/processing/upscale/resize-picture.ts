import type { Image } from '../../imaging/image.ts';
import { resample, resampleRegion } from '../../imaging/pillow/resample.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import { settledAlpha } from '../../imaging/settled-alpha.ts';
import type { StageClock } from '../stage-clock.ts';
import type { SizedResult } from './upscale-plan.ts';
import type { PilUpscaler } from './upscalers.ts';

/** Where a resized picture goes. */
export interface ResizePlace {
  /** Of scratch files. */
  readonly folder: string;
  readonly clock: StageClock;
  /** The picture whose alpha is settled in the result, where a network made it. */
  readonly alphaOf?: Image | undefined;
}

/** A picture in the size of the result, or the part of it that is wanted, by a Pillow filter. */
export async function resizePicture(
  source: RowSource,
  { size, part }: SizedResult,
  filter: PilUpscaler,
  { folder, clock, alphaOf }: ResizePlace,
): Promise<ScratchImage> {
  const { channels, depth } = source;
  const { width, height } = part ?? size;
  const image = ScratchImage.create(folder, { width, height, channels, depth });
  const whole = { x: 0, y: 0, ...size };
  const sink = alphaOf ? settledAlpha(image, rowsOf(alphaOf), { whole: size, region: part ?? whole }) : image;
  const onProgress = (fraction: number) => clock.at('resizing', fraction);
  await clock.time('resize', () =>
    part
      ? resampleRegion(source, sink, filter, { whole: size, region: part })
      : resample(source, sink, filter, { onProgress }),
  );
  return image;
}

/** What a network made, in the exact size of the result, by LANCZOS where it has another. `source` is disposed of then. */
export async function toExactSize(
  source: ScratchImage,
  wanted: SizedResult,
  place: ResizePlace,
): Promise<ScratchImage> {
  const { size, part } = wanted;
  if (!part && source.width === size.width && source.height === size.height) return source;
  try {
    return await resizePicture(source, wanted, 'LANCZOS', place);
  } finally {
    source.dispose();
  }
}
