import type { Sharp } from 'sharp';
import type { OutputFormat } from '../../options/output-formats.ts';
import type { ImageShape } from '../image.ts';
import { avifEdits, exifPlaceholder, jpegEdits, pngEdits, tiffEdits, webpEdits } from './metadata/embed-metadata.ts';
import type { Density } from './metadata/density.ts';
import type { Edit } from './file-edits.ts';
import type { OutputMetadata } from './metadata/output-metadata.ts';

/** What an encoder is told beside the pixels. */
export interface Encoding {
  readonly shape: ImageShape;
  /** 1..100; 100 for formats that lose nothing, to which it means nothing. */
  readonly quality: number;
  /** Whether no sample may change, of formats that can be written so. */
  readonly isLossless: boolean;
  readonly metadata: OutputMetadata;
}

/** How a format is written. */
export interface Encoder {
  /** Has libvips write the image so. */
  readonly encode: (image: Sharp, encoding: Encoding) => Sharp;
  /** What of the metadata libvips does not write, as edits of the file that it wrote. */
  readonly edits: (file: string, metadata: OutputMetadata) => Edit[];
}

/** A TIFF above 4 GiB needs offsets of 64 bits; compressed data may be larger than raw. */
const BIG_TIFF_BYTES = 3.5 * 2 ** 30;
const MM_PER_INCH = 25.4;
/** What is told where nothing is known, in formats that have to tell something. */
const SQUARE: Density = { x: 1, y: 1, unit: 'none' };

/** Of every format of OUTPUT_FORMATS; one without an encoder does not compile. */
export const ENCODERS: Readonly<Record<OutputFormat, Encoder>> = {
  png: {
    encode: (image) => image.png({ compressionLevel: 2, adaptiveFiltering: true }),
    edits: pngEdits,
  },
  jpeg: {
    encode: (image, { quality }) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
    edits: jpegEdits,
  },
  webp: {
    encode: (image, encoding) => image.webp(webpOptions(encoding)),
    edits: (file, { exif }) => webpEdits(file, exif),
  },
  avif: {
    encode: (image, { shape, quality, isLossless, metadata }) =>
      withRoomForExif(image, metadata).avif({
        quality,
        effort: 1,
        lossless: isLossless,
        bitdepth: shape.depth === 16 ? 10 : 8,
      }),
    edits: (file, { exif, codes }) => avifEdits(file, exif, codes),
  },
  tiff: {
    encode: (image, { shape, metadata }) => image.tiff(tiffOptions(shape, metadata.density ?? SQUARE)),
    edits: tiffEdits,
  },
};

function webpOptions({ quality, isLossless }: Encoding) {
  return {
    ...(isLossless ? { lossless: true, exact: true } : { quality, smartSubsample: true }),
    effort: 2,
  };
}

function withRoomForExif(image: Sharp, { exif }: OutputMetadata): Sharp {
  return exif ? image.withExif({ IFD0: { ImageDescription: exifPlaceholder(exif) } }) : image;
}

function tiffOptions({ width, height, channels, depth }: ImageShape, { x, y }: Density) {
  const bigtiff = width * height * channels * (depth / 8) > BIG_TIFF_BYTES;
  return {
    compression: 'lzw',
    predictor: 'horizontal',
    xres: x / MM_PER_INCH,
    yres: y / MM_PER_INCH,
    bigtiff,
  } as const;
}
