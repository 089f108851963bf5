import type { Config } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import type { ToldSize } from '../imaging/codec/image-size.ts';
import { readImageSize } from '../imaging/codec/image-size.ts';
import { assertAllowedSize } from '../imaging/errors.ts';
import { assertHolds } from '../imaging/codec/codec-encode.ts';
import type { ImageShape } from '../imaging/image.ts';
import { backgroundOptions } from '../options/face-task-options.ts';
import type { ExtrasOptions } from '../options/extras-options.ts';
import type { MethodWork } from '../options/methods.ts';
import type { OutputOptions } from '../options/output-options.ts';
import { askedUpscale, extrasSize } from './extras-size.ts';
import type { ExtrasTask } from './tasks.ts';
import { targetSize } from './upscale/target-size.ts';
import type { AskedResult } from './upscale/upscale-work.ts';
import { assertUpscaleFits } from './upscale/upscale-work.ts';

/** What is asked to be done with images. */
export type AskedWork = (MethodWork | Pick<ExtrasTask, 'kind' | 'options'>) & {
  readonly modelFile?: string | undefined;
  readonly output: Pick<OutputOptions, 'output_format'>;
};

type Limits = Pick<Config, 'maxInputPixels' | 'maxOutputPixels' | 'modelUpscale' | 'tile' | 'tilePad'>;

/**
 * Refuses work that is beyond the limits before a worker has it, by what the headers of the files say and nothing else: in some
 * milliseconds, however large the files are. What the headers do not tell, the worker finds out.
 * @throws ImageTooLargeError, OutputTooLargeError, OutputFormatError, WorkTooLargeError, BadParameterError, of the first image
 * that is too much; of several images the message names it
 */
export async function assertWorkFits(
  work: AskedWork,
  images: readonly { readonly file: string; readonly name: string }[],
  limits: Limits,
): Promise<void> {
  for (const { file, name } of images) {
    const size = await readImageSize(file).catch(() => undefined); // the decoder has the words for what cannot be read
    const refusal = size && size.width * size.height > 0 ? refusalOf(work, name, size, limits) : undefined;
    if (!refusal) continue;
    if (images.length > 1 && !refusal.message.startsWith(name)) refusal.message = `${name}: ${refusal.message}`;
    throw refusal;
  }
}

function refusalOf(work: AskedWork, name: string, size: ToldSize, limits: Limits): HiresFixError | undefined {
  try {
    assertAllowedSize(name, size, limits.maxInputPixels);
    assertImageFits(work, { ...size, channels: size.hasAlpha ? 4 : 3, depth: 8 }, limits);
    return undefined;
  } catch (error) {
    if (error instanceof HiresFixError) return error;
    throw error;
  }
}

function assertImageFits(work: AskedWork, image: ImageShape, limits: Limits): void {
  const { output_format: format } = work.output;
  switch (work.kind) {
    case 'hires-fix':
      assertUpscaleFits(image, { ...work, format }, limits);
      break;
    case 'extras':
      assertExtrasFit(image, { ...work.options, format }, limits);
      break;
    case 'face':
      if (work.options.aligned) assertSideFits(image, { side: work.options.size ?? 1, format }, limits);
      else assertUpscaleFits(image, { options: backgroundOptions(work.options), format }, limits);
      break;
    case 'restore':
      targetSize(image, {}, 1, limits.maxOutputPixels);
      if (format !== 'auto') assertHolds(format, image);
      break;
    case 'find-faces':
  }
}

type AskedExtras = ExtrasOptions & Required<Pick<AskedResult, 'format'>>;

/** Which way up the picture stands is not known yet, and the size that covers a box goes by it. */
function assertExtrasFit(image: ImageShape, options: AskedExtras, limits: Limits): void {
  try {
    assertExtrasOf({ ...image, width: image.height, height: image.width }, options, limits);
  } catch {
    assertExtrasOf(image, options, limits);
  }
}

function assertExtrasOf(image: ImageShape, { first, second, size, format }: AskedExtras, limits: Limits): void {
  const { asked, region } = extrasSize(image, size);
  if (region && format !== 'auto') assertHolds(format, region);
  const whole = region ? {} : { format };
  for (const one of [first, second]) {
    if (one) assertUpscaleFits(image, { options: askedUpscale(one, asked), ...whole }, limits);
  }
}

function assertSideFits(
  image: ImageShape,
  { side, format }: { readonly side: number } & Required<Pick<AskedResult, 'format'>>,
  { maxOutputPixels }: Limits,
): void {
  const size = targetSize(image, { width: side, height: side }, 1, maxOutputPixels);
  if (format !== 'auto') assertHolds(format, size);
}
