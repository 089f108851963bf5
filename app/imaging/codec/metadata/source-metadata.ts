import { mendProfile } from '../color/mend-profile.ts';
import { readStatedColor } from '../color/read-stated-color.ts';
import type { Density } from './density.ts';
import type { DecodedPixels } from '../codec-decode.ts';
import { densityInExif } from '../exif/exif-density.ts';
import { iptcOfTiffFile } from '../exif/iptc.ts';
import { exifBody, exifOfTiffFile, resetOrientation } from '../exif/exif.ts';
import type { ImageMetadata } from './metadata.ts';
import { iccColorSpace, METADATA_LIMITS } from './metadata.ts';
import type { PreparedFile } from '../prepare-file.ts';
import type { ImageFormat } from '../sniff-format.ts';
import { resetXmpOrientation, withoutCompanions, withoutExtension } from '../exif/xmp-edits.ts';

/** Gathers what the walkers and libvips found, within limits. */
export class MetadataCollector {
  readonly #warnings: string[];
  readonly #leftOut: string[] = [];

  constructor(warnings: string[]) {
    this.#warnings = warnings;
  }

  collect(
    prepared: PreparedFile,
    pixels: DecodedPixels,
    file: { format: ImageFormat; bytes: Uint8Array },
  ): ImageMetadata {
    const { header } = pixels;
    const exif =
      this.#within('exif', header.exif && exifBody(header.exif)) ??
      (file.format === 'tiff' ? exifOfTiffFile(file.bytes) : undefined);
    const xmp = this.#within('xmp', prepared.metadata.xmp ?? header.xmp);
    if (pixels.turnedByXmp !== undefined) {
      this.#warnings.push(
        `the picture is turned as its XMP says (orientation ${pixels.turnedByXmp}); EXIF says nothing`,
      );
    }
    const iptc = prepared.metadata.iptc ?? (file.format === 'tiff' ? iptcOfTiffFile(file.bytes) : undefined);
    const icc = this.#profile(pixels, prepared.metadata.icc ?? header.icc);
    const stated = readStatedColor(file, prepared.metadata.pngChunks ?? [], icc !== undefined);
    this.#warnings.push(...stated.warnings);
    return {
      format: file.format,
      icc,
      color: stated.color,
      exif: exif && resetOrientation(exif),
      xmp: xmp && this.#ownXmp(xmp),
      density: prepared.metadata.density ?? densityBeside(prepared, pixels, file.format),
      iptc: this.#within('iptc', iptc),
      comment: this.#within('comment', prepared.metadata.comment),
      pngChunks: prepared.metadata.pngChunks,
      leftOut: [...(prepared.metadata.leftOut ?? []), ...this.#leftOut],
    };
  }

  /** XMP of the picture alone, as it is now: upright, and without what lay behind it in the file. */
  #ownXmp(packet: Uint8Array): Uint8Array {
    const { xmp, warnings } = withoutCompanions(packet);
    this.#warnings.push(...warnings);
    return resetXmpOrientation(withoutExtension(xmp));
  }

  #profile({ image, convertedFrom }: DecodedPixels, icc: Uint8Array | undefined): Uint8Array | undefined {
    const isUsed = convertedFrom === undefined || convertedFrom === 'CMYK';
    const profile = isUsed ? this.#mended(this.#within('icc', icc)) : undefined;
    if (convertedFrom !== undefined) {
      this.#warnings.push(`colours were converted from ${convertedFrom} to sRGB`);
      return undefined;
    }
    const wanted = image.channels < 3 ? 'GRAY' : 'RGB ';
    if (!profile || iccColorSpace(profile) === wanted) return profile;
    this.#warnings.push(
      `ICC profile dropped: it is for ${iccColorSpace(profile).trim()}, the pixels are ${wanted.trim()}`,
    );
    return undefined;
  }

  #mended(icc: Uint8Array | undefined): Uint8Array | undefined {
    if (!icc) return undefined;
    const result = mendProfile(icc);
    if (!result.profile) this.#warnings.push(`ICC profile dropped: ${result.fault}`);
    else if (result.mended !== undefined) this.#warnings.push(result.mended);
    return result.profile;
  }

  #within(kind: 'icc' | 'exif' | 'xmp' | 'iptc' | 'comment', bytes: Uint8Array | undefined): Uint8Array | undefined {
    const limit = METADATA_LIMITS[kind];
    if (!bytes || bytes.length <= limit) return bytes && Uint8Array.from(bytes);
    const told = kind === 'icc' ? this.#warnings : this.#leftOut;
    told.push(`${kind.toUpperCase()} of ${bytes.length} bytes dropped: at most ${limit} are kept`);
    return undefined;
  }
}

/** Of TIFF the words of its page, of JPEG those of its EXIF. libvips has a default for what is not said, which is not to be taken for that. */
function densityBeside({ page }: PreparedFile, { header }: DecodedPixels, format: ImageFormat): Density | undefined {
  if (format === 'jpeg') return densityInExif((header.exif && exifBody(header.exif)) ?? new Uint8Array());
  return page?.page.density;
}
