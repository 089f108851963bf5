import type { Config } from '../../config.ts';
import { HiresFixError } from '../../errors.ts';
import { assertHolds } from '../../imaging/codec/codec-encode.ts';
import type { ImageShape } from '../../imaging/image.ts';
import type { OutputOptions } from '../../options/output-options.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import type { Size } from '../result.ts';
import { passesFor, shapesByPass, viewsFor } from './passes.ts';
import { coverCrop, growth, targetSize, wantedSize } from './target-size.ts';
import type { TiledNetwork, TilingOptions } from './tile-grid.ts';
import { pixelsSeen, tilingOf } from './tile-grid.ts';
import { AUTO, autoUpscalers, canonicalName, isPilUpscaler, NETWORK_UPSCALERS } from './upscalers.ts';
import type { Work } from './work.ts';
import { assertWithin, sumOf, workOf } from './work.ts';

/** Scale of the Pillow filters and of AUTO when no size was asked for. */
export const DEFAULT_SCALE = 2;

/** An upscaler, what its network's tiles depend on, and the size of the result. */
export interface NetworkPlan {
  readonly name: string;
  readonly network: TiledNetwork;
  readonly size: Size;
}

/** What is asked of an image. */
export interface AskedResult {
  readonly options: UpscaleOptions;
  readonly modelFile?: string | undefined;
  /** By default `auto`, which always finds one. */
  readonly format?: OutputOptions['output_format'];
}

type Limits = Pick<Config, 'maxOutputPixels' | 'maxInputPixels' | 'modelUpscale' | 'tile' | 'tilePad'>;

/** What all passes of a network, and the resampling after them, read and write. */
export function workOfUpscale(
  image: ImageShape,
  { name, network, size }: NetworkPlan,
  options: UpscaleOptions,
  cut: TilingOptions,
): Work {
  const shapes = shapesByPass(network, image, passesFor(network.scale, growth(image, size)));
  const works = shapes.map((shape) => {
    const views = viewsFor(name, pixelsSeen(network, shape, cut), options, cut);
    return workOf(network, shape, { ...cut, views });
  });
  return sumOf([...works, writing(size)]);
}

/**
 * Refuses, before anything is decoded or read of any weights, what the upscaler would refuse of an image of this shape once it
 * had done both. What is not known yet is taken for the best case: a file of the user's may enlarge by little, alpha be full.
 * @throws OutputTooLargeError, OutputFormatError, WorkTooLargeError, BadParameterError
 */
export function assertUpscaleFits(
  image: ImageShape,
  { options, modelFile, format = 'auto' }: AskedResult,
  limits: Limits,
): void {
  // A camera may have said in EXIF that the picture is to be turned.
  const turned = { ...image, width: image.height, height: image.width };
  const cases = [image, turned].flatMap((shape) =>
    upscalersOf(shape, options, modelFile, limits).map((name) => ({ shape, name })),
  );
  const refusals = cases.map(({ shape, name }) =>
    refusalOf(() => assertFits(shape, { name, options, format }, limits)),
  );
  if (refusals[0] !== undefined && refusals.every((refusal) => refusal !== undefined)) throw refusals[0];
}

/** What may come to do it; undefined is a file whose network is not known yet. */
function upscalersOf(
  image: ImageShape,
  options: UpscaleOptions,
  modelFile: string | undefined,
  limits: Limits,
): (string | undefined)[] {
  if (modelFile !== undefined) return [undefined];
  if (options.upscaler.toUpperCase() !== AUTO) return [canonicalName(options.upscaler)];
  return [...autoUpscalers(growth(image, wantedSize(image, options, DEFAULT_SCALE)), limits)];
}

function assertFits(
  image: ImageShape,
  { name, options, format }: Pick<Required<AskedResult>, 'options' | 'format'> & { readonly name: string | undefined },
  limits: Limits,
): void {
  const network = name === undefined ? undefined : NETWORK_UPSCALERS.get(name)?.tiling;
  const isFilter = name !== undefined && isPilUpscaler(name);
  const standard = isFilter ? DEFAULT_SCALE : (network?.scale ?? 1);
  const size = targetSize(image, options, standard, limits.maxOutputPixels);
  if (format !== 'auto') assertHolds(format, coverCrop(size, options) ?? size);
  if (isFilter) return;
  const cut = { ...tilingOf(options, limits), isOpaque: true };
  const work =
    name !== undefined && network
      ? workOfUpscale(image, { name, network, size }, options, cut)
      : sumOf([writing(size), reading(image, cut)]);
  assertWithin(limits, work);
}

function refusalOf(check: () => void): HiresFixError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof HiresFixError) return error;
    throw error;
  }
}

function writing({ width, height }: Size): Work {
  return { tiles: 0, paddedPixels: 0, readPixels: 0, writtenPixels: width * height };
}

/** What any network reads of it at least. */
function reading({ width, height }: Size, { prePad }: TilingOptions): Work {
  const pixels = (width + prePad) * (height + prePad);
  return { tiles: 1, paddedPixels: pixels, readPixels: pixels, writtenPixels: 0 };
}
