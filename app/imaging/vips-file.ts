import type { ImageShape } from './image.ts';

/**
 * libvips' own raw format, https://www.libvips.org/API/current/file-format.html: a header of 64 bytes, the rows, and XML
 * with what else belongs to the image. libvips maps such a file instead of reading it.
 */
export const VIPS_HEADER_BYTES = 64;

/** 'b6a6f208', a file in Intel byte order. */
const INTEL_MAGIC = 0x08f2a6b6;
const BAND_FORMAT = { 8: 0, 16: 2 } as const; // VIPS_FORMAT_UCHAR, VIPS_FORMAT_USHORT
const INTERPRETATION = { gray: { 8: 1, 16: 26 }, color: { 8: 22, 16: 25 } } as const; // B_W, GREY16, sRGB, RGB16
const CODING_NONE = 0;
const MM_PER_INCH = 25.4;

/** What PNG, and libvips, assume where nothing is said. */
const DEFAULT_DENSITY = 72;

/** Pixels per inch. */
export interface VipsDensity {
  readonly x: number;
  readonly y: number;
}

/** What a writer finds attached to the image. */
export interface VipsAttachments {
  readonly icc?: Uint8Array | undefined;
  readonly xmp?: Uint8Array | undefined;
}

/**
 * The 64 bytes that a file of libvips (.v) begins with; the rows follow.
 * @param density pixels per inch, by axis
 */
export function vipsHeader(
  { width, height, channels, depth }: ImageShape,
  density: VipsDensity = { x: DEFAULT_DENSITY, y: DEFAULT_DENSITY },
): Uint8Array {
  const view = new DataView(new ArrayBuffer(VIPS_HEADER_BYTES));
  const interpretation = INTERPRETATION[channels < 3 ? 'gray' : 'color'][depth];
  const fields = [INTEL_MAGIC, width, height, channels, 0, BAND_FORMAT[depth], CODING_NONE, interpretation];
  fields.forEach((value, index) => view.setInt32(index * 4, value, true));
  view.setFloat32(32, density.x / MM_PER_INCH, true);
  view.setFloat32(36, density.y / MM_PER_INCH, true);
  return new Uint8Array(view.buffer);
}

/** The size in pixels that a header tells; 0 where it is not whole. */
export function vipsSize(header: Uint8Array): { readonly width: number; readonly height: number } {
  if (header.length < VIPS_HEADER_BYTES) return { width: 0, height: 0 };
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return { width: view.getInt32(4, true), height: view.getInt32(8, true) };
}

/** The XML after the rows; empty where nothing is attached. */
export function vipsTrailer({ icc, xmp }: VipsAttachments): Uint8Array {
  const fields = [blobField('icc-profile-data', icc), blobField('xmp-data', xmp)].join('');
  if (fields === '') return new Uint8Array(0);
  const namespace = 'http://www.vips.ecs.soton.ac.uk/vips/8.0.0';
  return Buffer.from(
    `<?xml version="1.0"?>\n<root xmlns="${namespace}"><header></header><meta>${fields}</meta></root>\n`,
  );
}

function blobField(name: string, blob: Uint8Array | undefined): string {
  if (!blob) return '';
  return `<field type="VipsBlob" name="${name}">${Buffer.from(blob).toString('base64')}</field>`;
}
