import type { Density } from './metadata/density.ts';
import { densityOf } from './metadata/density.ts';
import { BadImageError, UnsupportedImageError } from '../errors.ts';
import { iptcOfResources, RESOURCES_HEAD } from './exif/iptc.ts';
import { METADATA_LIMITS } from './metadata/metadata.ts';

/** A JPEG looked through before it is decoded. */
export interface JpegParts {
  readonly width: number;
  readonly height: number;
  /** The file without comments and application segments that no picture needs. */
  readonly pixels: Uint8Array;
  /** Whether there is no end marker: the pixels may still be whole. */
  readonly endsEarly: boolean;
  /** Pixels per inch, if JFIF tells. */
  readonly density: Density | undefined;
  /** The first segment of EXIF, without its marker and length. */
  readonly exif: Uint8Array | undefined;
  readonly iptc: Uint8Array | undefined;
  /** The first that says something. */
  readonly comment: Uint8Array | undefined;
  /** What of its XMP is not kept, one sentence. */
  readonly leftOut: readonly string[];
  readonly warnings: readonly string[];
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COMMENT = 0xfe;
/** SOF5 to SOF7, and SOF13 to SOF15. */
const HIERARCHICAL: ReadonlySet<number> = new Set([0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf]);
/** Of a sample; what is neither these nor 8 is damaged. */
const OTHER_BITS: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16]);
const FILL = 0xff;
/** Bytes between two segments that are stepped over; more is another file, or a broken one. */
const MAX_STRAY_BYTES = 4096;
/** Decoding time grows with the scans of a progressive file; encoders write about ten. */
const MAX_SCANS = 100;
const CM_PER_INCH = 2.54;

interface Segment {
  readonly marker: number;
  /** Marker to the end of the data. */
  readonly whole: Buffer;
  /** Bytes in front of it that belong to nothing. */
  readonly stray: Buffer;
  readonly data: Buffer;
}

/**
 * Walks the segments of a JPEG: the size from the frame header, application segments limited to JFIF, EXIF, XMP, ICC and
 * Adobe (which says how colours are coded), and the number of scans.
 *
 * @param file a whole file that starts with FF D8 FF
 * @throws BadImageError where the file ends before the pixels begin, or is no JPEG after all
 * @throws UnsupportedImageError for samples of other than 8 bits, and for pictures in steps
 */
export function readJpegParts(file: Uint8Array, name: string): JpegParts {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const kept: Buffer[] = [Buffer.from([0xff, SOI])];
  const filter = new ApplicationFilter();
  let size: { width: number; height: number } | undefined;
  for (let at = 2; ;) {
    const segment = segmentAt(bytes, at, name);
    at += segment.stray.length;
    filter.stepOver(segment.stray);
    if (isFrame(segment.marker) && segment.data.length >= 6) {
      assertDecodable(segment, name);
      size = { width: segment.data.readUInt16BE(3), height: segment.data.readUInt16BE(1) };
    }
    if (segment.marker === SOS) {
      if (!size) throw new BadImageError(name, 'expected a JPEG with a frame header before its pixels, got none');
      const endsEarly = checkScans(bytes, at, name);
      const pixels = filter.dropped === 0 ? bytes : Buffer.concat([...kept, bytes.subarray(at)]);
      const { density, exif, iptc, comment, leftOut, warnings } = filter;
      return { ...size, pixels, endsEarly, density, exif, iptc, comment, leftOut, warnings };
    }
    if (filter.keeps(segment)) kept.push(segment.whole);
    at += segment.whole.length;
  }
}

/** What the decoder does not read, and calls damaged. */
function assertDecodable({ marker, data }: Segment, name: string): void {
  const bits = data[0] ?? 0;
  if (OTHER_BITS.has(bits)) throw new UnsupportedImageError(name, `a JPEG of ${bits} bits a sample instead of 8`);
  if (HIERARCHICAL.has(marker)) throw new UnsupportedImageError(name, 'a hierarchical JPEG');
}

/** The next segment; what is no marker is stepped over, as libjpeg does: some cameras write it. */
function segmentAt(bytes: Buffer, start: number, name: string): Segment {
  let at = start;
  while (at + 1 < bytes.length && at - start <= MAX_STRAY_BYTES && !isMarker(bytes, at)) at++;
  if (at + 4 > bytes.length || bytes[at + 1] === EOI) throw endsEarly(bytes, name);
  const marker = bytes[at + 1] ?? 0;
  const length = bytes.readUInt16BE(at + 2);
  if (!isMarker(bytes, at) || length < 2) {
    throw new BadImageError(name, `the JPEG is damaged: expected a segment at byte ${start}, got something else`);
  }
  if (at + 2 + length > bytes.length) throw endsEarly(bytes, name);
  const whole = bytes.subarray(at, at + 2 + length);
  return { marker, whole, data: whole.subarray(4), stray: bytes.subarray(start, at) };
}

/** FF and what a segment begins with; FF FF is a byte to fill and the next one. */
function isMarker(bytes: Buffer, at: number): boolean {
  const marker = bytes[at + 1] ?? 0;
  return bytes[at] === 0xff && marker >= 0xc0 && marker !== 0xff;
}

function endsEarly(bytes: Buffer, name: string): BadImageError {
  return new BadImageError(
    name,
    `the file ends early: ${bytes.length} bytes came, and the JPEG's pixels are not among them`,
  );
}

/** Whether a marker begins a frame: SOF0 to SOF15, which DHT, JPG and DAC lie among. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Counts the scans from `from` on; whether the end marker is missing. */
function checkScans(bytes: Buffer, from: number, name: string): boolean {
  let scans = 0;
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker === EOI) return false;
    if (marker === SOS && ++scans > MAX_SCANS) {
      throw new BadImageError(name, `expected a JPEG of at most ${MAX_SCANS} scans, got more`);
    }
  }
  return true;
}

/** Which application segments stay. */
class ApplicationFilter {
  readonly warnings: string[] = [];
  density: Density | undefined;
  exif: Uint8Array | undefined;
  comment: Uint8Array | undefined;
  dropped = 0;
  /** Of several segments one list. */
  readonly #resources: Buffer[] = [];
  #profileBytes = 0;
  #hasXmp = false;
  #hasMoreXmp = false;

  get leftOut(): string[] {
    return this.#hasMoreXmp ? ['XMP beyond the first segment of it in the file (extended XMP) is left out'] : [];
  }

  get iptc(): Uint8Array | undefined {
    return iptcOfResources(Buffer.concat(this.#resources));
  }

  stepOver(stray: Buffer): void {
    const isFilling = stray.every((byte) => byte === FILL);
    if (!isFilling) this.#warn('stray bytes between the segments of the file are left out');
    this.dropped += stray.length > 0 ? 1 : 0;
  }

  keeps({ marker, data }: Segment): boolean {
    if (marker === COMMENT && data.length > 0) this.comment ??= Uint8Array.from(data);
    if (marker === 0xed && startsWith(data, RESOURCES_HEAD)) this.#resources.push(data.subarray(RESOURCES_HEAD.length));
    if (marker === 0xe2 && startsWith(data, 'MPF\0')) this.#warn('the further picture (MPF) of the file is left out');
    const isKept = marker < 0xe0 || (marker > 0xef && marker !== COMMENT) || this.#keepsApplication(marker, data);
    this.dropped += isKept ? 0 : 1;
    return isKept;
  }

  #warn(warning: string): void {
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  #keepsApplication(marker: number, data: Buffer): boolean {
    if (marker === 0xe0) return this.#keepsJfif(data);
    if (marker === 0xee) return startsWith(data, 'Adobe');
    if (marker === 0xe2) return startsWith(data, 'ICC_PROFILE\0') && this.#keepsProfile(data);
    if (marker !== 0xe1) return false;
    if (startsWith(data, 'Exif\0') && !this.exif) {
      this.exif = data;
      return true;
    }
    this.#hasMoreXmp ||= startsWith(data, 'http://ns.adobe.com/xmp/extension/\0');
    if (startsWith(data, 'http://ns.adobe.com/xap/1.0/\0') && !this.#hasXmp) return (this.#hasXmp = true);
    return false;
  }

  #keepsJfif(data: Buffer): boolean {
    if (!startsWith(data, 'JFIF\0') || data.length < 14) return false;
    const perInch = [0, 1, CM_PER_INCH][data[7] ?? 0] ?? 0; // none, dots per inch, dots per cm
    this.density ??= densityOf(data.readUInt16BE(8), data.readUInt16BE(10), perInch);
    return true;
  }

  #keepsProfile(data: Buffer): boolean {
    const isWithin = this.#profileBytes <= METADATA_LIMITS.icc;
    this.#profileBytes += data.length;
    if (isWithin && this.#profileBytes > METADATA_LIMITS.icc) {
      this.warnings.push(`ICC profile dropped: it is larger than ${METADATA_LIMITS.icc} bytes`);
    }
    return this.#profileBytes <= METADATA_LIMITS.icc;
  }
}

function startsWith(data: Buffer, text: string): boolean {
  return data.toString('latin1', 0, text.length) === text;
}
