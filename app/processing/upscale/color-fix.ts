import type { Image } from '../../imaging/image.ts';
import { hasAlpha } from '../../imaging/image.ts';
import { matchLowBands, matchMeans } from '../../imaging/match-colors.ts';
import { rgbRows } from '../../imaging/rgb-rows.ts';
import { resizedInto } from '../../imaging/rows-into.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import type { Made } from '../process-images.ts';
import type { StageClock } from '../stage-clock.ts';

/** What the colours of a result are corrected by. */
interface ColorFixTask {
  readonly options: Pick<UpscaleOptions, 'colour_fix'>;
  /** Folder of scratch files. */
  readonly scratch: string;
}

/**
 * What a network made of `source`, with the tones that `source` has (`colour_fix`): networks shift flat colours by some levels. Where
 * there is nothing to correct, or no way to, that is told and the picture stays as it is.
 */
export async function withColorsOf(
  source: Image,
  made: Made,
  { options, scratch }: ColorFixTask,
  clock: StageClock,
): Promise<Made> {
  const { colour_fix: fix = 'none' } = options;
  if (fix === 'none') return made;
  const reference = referenceFor(source, made.image);
  if (made.info.model === undefined) return ignored(made, `${made.info.upscaler ?? 'a filter'} shifts no colours`);
  if (!reference) return ignored(made, 'the network makes gray of colours');
  const image = ScratchImage.create(scratch, made.image);
  await clock.time('colour_fix', () => {
    if (fix === 'mean') {
      matchMeans(made.image, reference, image);
      return;
    }
    const enlarged = resizedInto(reference, made.image, scratch);
    matchLowBands(made.image, enlarged, image);
    enlarged.dispose();
  });
  made.image.dispose();
  return { ...made, image, info: { ...made.info, colour_fix: fix } };
}

/** The source in the colours of the result; none where it has more than that. */
function referenceFor(source: Image, made: RowSource): RowSource | undefined {
  const [given, wanted] = [colorsOf(source), colorsOf(made)];
  if (given === wanted) return rowsOf(source);
  return wanted === 3 ? rgbRows(rowsOf(source)) : undefined;
}

function colorsOf({ channels }: Pick<RowSource, 'channels'>): number {
  return hasAlpha(channels) ? channels - 1 : channels;
}

function ignored(made: Made, why: string): Made {
  return { ...made, info: { ...made.info, warnings: [...made.info.warnings, `colour_fix was ignored: ${why}`] } };
}
