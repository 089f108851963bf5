/** What there is to know of a format in which results are written; how it is written is in imaging/codec/encoders.ts. */
export interface FormatTraits {
  /** As people write it. */
  readonly label: string;
  /** Extensions of its files, without a dot; the first is the one that is written. */
  readonly extensions: readonly [string, ...string[]];
  readonly mediaType: `image/${string}`;
  /** The longest side that it holds, in pixels. */
  readonly longestSide: number;
  /** The most bits of a sample that it is written with: 16 become so many. */
  readonly bits: 8 | 10 | 16;
  /** Whether it keeps transparency; elsewhere the image is laid on white. */
  readonly holdsAlpha: boolean;
  /** Whether it keeps one channel, and so a gray profile; elsewhere gray becomes sRGB. */
  readonly holdsGray: boolean;
  /** Whether it keeps PNG's texts as they are; elsewhere one of them becomes an EXIF comment. */
  readonly holdsTexts: boolean;
  /** Whether it keeps IPTC, by default not. */
  readonly holdsIptc?: boolean;
  /** Whether it keeps a comment of whatever characters, by default not. */
  readonly holdsComment?: boolean;
  /** Whether it says colours by the codes of ITU-T H.273, and so HDR; elsewhere a profile says them. */
  readonly holdsColorCodes: boolean;
  /** The most bytes of XMP that it keeps, where there is a limit. */
  readonly maxXmpBytes?: number;
  /** Whether a file of it may hold frames that are shown in turn. */
  readonly holdsFrames: boolean;
  /** Whether it can be written so that no sample changes. */
  readonly losesNothing: boolean;
  /** Of 1..100, where none is asked for; formats that lose nothing in any case have none. */
  readonly quality?: number;
}

/** What libvips, which writes all formats, holds of any: VIPS_MAX_COORD. */
const LONGEST_OF_ALL = 100_000_000;

/** Every format in which a result can be written. This is where one is added; its encoder is then asked for by the compiler. */
export const OUTPUT_FORMATS = {
  png: {
    label: 'PNG',
    extensions: ['png'],
    mediaType: 'image/png',
    longestSide: LONGEST_OF_ALL,
    bits: 16,
    holdsAlpha: true,
    holdsGray: true,
    holdsTexts: true,
    holdsColorCodes: true,
    holdsFrames: true,
    losesNothing: true,
  },
  jpeg: {
    label: 'JPEG',
    extensions: ['jpg', 'jpeg', 'jfif', 'jpe'],
    mediaType: 'image/jpeg',
    longestSide: 65_500, // the file's own limit is 65,535, libjpeg's is lower: JPEG_MAX_DIMENSION
    bits: 8,
    holdsAlpha: false,
    holdsGray: true,
    holdsTexts: false,
    holdsIptc: true,
    holdsComment: true,
    holdsColorCodes: false,
    holdsFrames: false,
    losesNothing: false,
    maxXmpBytes: 65_502, // one segment
    quality: 95,
  },
  webp: {
    label: 'WebP',
    extensions: ['webp'],
    mediaType: 'image/webp',
    longestSide: 16_383,
    bits: 8,
    holdsAlpha: true,
    holdsGray: false,
    holdsTexts: false,
    holdsColorCodes: false,
    holdsFrames: true,
    losesNothing: true,
    quality: 90,
  },
  avif: {
    label: 'AVIF',
    extensions: ['avif'],
    mediaType: 'image/avif',
    longestSide: 16_384,
    bits: 10, // with 12 many programs could not read it
    holdsAlpha: true,
    holdsGray: false,
    holdsTexts: false,
    holdsColorCodes: true,
    holdsFrames: false,
    losesNothing: true,
    quality: 85,
  },
  tiff: {
    label: 'TIFF',
    extensions: ['tiff', 'tif'],
    mediaType: 'image/tiff',
    longestSide: LONGEST_OF_ALL,
    bits: 16,
    holdsAlpha: true,
    holdsGray: true,
    holdsTexts: false,
    holdsIptc: true,
    holdsColorCodes: false,
    holdsFrames: false,
    losesNothing: true,
  },
} as const satisfies Readonly<Record<string, FormatTraits>>;

/** A format that results are written in, by its name in the field `output_format`. */
export type OutputFormat = keyof typeof OUTPUT_FORMATS;

/** The formats, in the order of the table. */
export const OUTPUT_FORMAT_NAMES = Object.keys(OUTPUT_FORMATS) as readonly OutputFormat[];

/** What there is to know of a format. */
export function traitsOf(format: OutputFormat): FormatTraits {
  return OUTPUT_FORMATS[format];
}

/** Whether a name, such as that of a file's format, is the name of a format that is written. */
export function isOutputFormat(name: string): name is OutputFormat {
  return Object.hasOwn(OUTPUT_FORMATS, name);
}

/** The extension that files of a format get, without a dot. */
export function extensionOf(format: OutputFormat): string {
  return traitsOf(format).extensions[0];
}

/** The format that an extension (with a dot, any case) stands for. */
export function formatOfExtension(extension: string): OutputFormat | undefined {
  const wanted = extension.slice(1).toLowerCase();
  return OUTPUT_FORMAT_NAMES.find((format) => traitsOf(format).extensions.includes(wanted));
}

/** Whether a format holds a picture of this size, in pixels. */
export function holdsSize(
  format: OutputFormat,
  { width, height }: { readonly width: number; readonly height: number },
): boolean {
  return Math.max(width, height) <= traitsOf(format).longestSide;
}

/** The formats of some trait in words, with `joint` before the last: `JPEG, WebP and AVIF`. */
export function formatLabels(joint: 'and' | 'or', has: (traits: FormatTraits) => boolean): string {
  const labels = OUTPUT_FORMAT_NAMES.map(traitsOf)
    .filter(has)
    .map(({ label }) => label);
  return labels.join(', ').replace(/, ([^,]*)$/, ` ${joint} $1`);
}
