import { resultChannels } from '../../architectures/picture-channels.ts';
import type { Config } from '../../config.ts';
import type { Channels, ImageShape } from '../../imaging/image.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import type { Size } from '../result.ts';
import { growth, isSizeAsked, targetSize, wantedSize } from './target-size.ts';
import type { TiledNetwork, TilingOptions } from './tile-grid.ts';
import { DEFAULT_SCALE, workOfUpscale } from './upscale-work.ts';
import type { UpscalerQuery } from './upscaler-choice.ts';
import { assertWithin } from './work.ts';

/** What is asked of an upscale. */
export interface AskedUpscale {
  readonly options: UpscaleOptions;
  /** A checkpoint that the command line named by its path. */
  readonly modelFile?: string | undefined;
  /** Why AUTO does without the networks that it would have to fetch. */
  readonly autoGoesWithout?: string | undefined;
}

/** An upscaler, and what is known of its network. */
export interface OutlinedUpscaler {
  readonly name: string;
  /** By how much it enlarges where no size is asked for. */
  readonly scale: number;
  /** Missing for Pillow's filters, and for networks of which nothing is known yet. */
  readonly network?: TiledNetwork | undefined;
}

/** By what an upscale is outlined. */
export interface OutlineParts<Chosen extends OutlinedUpscaler> {
  readonly limits: Pick<Config, 'maxInputPixels' | 'maxOutputPixels'>;
  readonly choose: (query: UpscalerQuery) => Promise<Chosen>;
  /** How a network would cut the picture; asked for only where there is a network. */
  readonly cut: () => TilingOptions;
}

/** The picture that an upscale makes, and what makes it. */
export interface UpscaleOutline<Chosen extends OutlinedUpscaler> {
  readonly chosen: Chosen;
  /** Of the whole result, before `coverCrop`. */
  readonly size: Size;
  readonly channels: Channels;
}

/**
 * What an upscale will make of a picture of this shape, the same for the work as for what is said of it beforehand. A size that is
 * too large shows before an upscaler is chosen, since that may fetch one.
 * @throws OutputTooLargeError, WorkTooLargeError for this picture; what `choose` throws
 */
export async function outlineUpscale<Chosen extends OutlinedUpscaler>(
  image: ImageShape,
  { options, modelFile, autoGoesWithout }: AskedUpscale,
  { limits, choose, cut }: OutlineParts<Chosen>,
): Promise<UpscaleOutline<Chosen>> {
  const { maxOutputPixels } = limits;
  if (isSizeAsked(options)) targetSize(image, options, DEFAULT_SCALE, maxOutputPixels);
  const chosen = await choose({
    asked: options.upscaler,
    modelFile,
    autoGoesWithout,
    denoiseStrength: options.denoise_strength,
    growth: growth(image, wantedSize(image, options, DEFAULT_SCALE)),
  });
  const { name, scale, network } = chosen;
  const size = targetSize(image, options, scale, maxOutputPixels);
  if (!network) return { chosen, size, channels: image.channels };
  assertWithin(limits, workOfUpscale(image, { name, size, network }, options, cut()));
  return { chosen, size, channels: resultChannels(network, image.channels) };
}
