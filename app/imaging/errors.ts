import { HiresFixError } from '../errors.ts';

/** What an input may be, for messages. */
export const ACCEPTED = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** The file is not an image, or a broken one; the message says what was expected and what came. */
export class BadImageError extends HiresFixError {
  readonly code = 'ERR_BAD_IMAGE';
  readonly fault = 'image';

  /** @param name the file, as the caller knows it */
  constructor(name: string, reason: string, options?: ErrorOptions) {
    super(`${name}: ${reason}`, options);
  }
}

/** What is told of a file whose pixels are not all there, or not what they were; `detail` says how that shows. */
export function notWhole(
  { name, format }: { readonly name: string; readonly format: string },
  detail: string,
  options?: ErrorOptions,
): BadImageError {
  const reason = `expected a whole ${format.toUpperCase()} image, but it is damaged or ends early (${detail})`;
  return new BadImageError(name, reason, options);
}

/** An image of a kind that is refused on purpose: a drawing, a document, a codec that is not built in. */
export class UnsupportedImageError extends HiresFixError {
  readonly code = 'ERR_UNSUPPORTED_IMAGE';
  readonly fault = 'image';

  /** @param kind what the file is, e.g. `an SVG drawing`; @param advice what its owner can do */
  constructor(name: string, kind: string, advice = 'convert it first') {
    super(`${name}: expected ${ACCEPTED}, got ${kind}; ${advice}`);
  }
}

/** The longest side of an input: work goes by rows, and rows without number cost more than their pixels. */
export const MAX_INPUT_SIDE = 2 ** 20;

/** More pixels than allowed, or a side that is too long, found in the header, before anything is decoded. */
export class ImageTooLargeError extends HiresFixError {
  readonly code = 'ERR_IMAGE_TOO_LARGE';
  readonly fault = 'image';
  readonly width: number;
  readonly height: number;
  readonly maxPixels: number;

  constructor(name: string, size: { readonly width: number; readonly height: number }, maxPixels: number) {
    const pixels = size.width * size.height;
    const reason =
      pixels > maxPixels
        ? `is ${pixels} pixels, at most ${maxPixels} are allowed`
        : `has a side of more than ${MAX_INPUT_SIDE} pixels`;
    super(`${name}: ${size.width}x${size.height} ${reason}; send a smaller image`);
    this.width = size.width;
    this.height = size.height;
    this.maxPixels = maxPixels;
  }
}

/**
 * Refuses a picture of more than `maxPixels`, or with a side of more than `MAX_INPUT_SIDE`.
 * @throws ImageTooLargeError
 */
export function assertAllowedSize(
  name: string,
  size: { readonly width: number; readonly height: number },
  maxPixels: number,
): void {
  const isAllowed = size.width * size.height <= maxPixels && Math.max(size.width, size.height) <= MAX_INPUT_SIDE;
  if (!isAllowed) throw new ImageTooLargeError(name, size, maxPixels);
}

/** The result does not fit into the format that was asked for. */
export class OutputFormatError extends HiresFixError {
  readonly code = 'ERR_OUTPUT_FORMAT';
  readonly fault = 'image';
}

/** The disk that scratch files or results are written to is full, or fails. */
export class ScratchSpaceError extends HiresFixError {
  readonly code = 'ERR_SCRATCH_SPACE';
  readonly fault = 'image';
}
