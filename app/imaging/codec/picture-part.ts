import type { Rectangle } from '../rectangle.ts';
import type { PictureSource } from './decoded-pictures.ts';
import { DecodedPictures, openPicture } from './decoded-pictures.ts';
import { withPngChunks } from './png-chunks.ts';
import { inTurn } from './turns.ts';
import { vipsWork } from './vips-work.ts';

/** The part of a picture that is wanted, in its own pixels, and how wide it is to be. */
export interface PicturePart {
  readonly region: Rectangle;
  /** In pixels, at most the region's own width; the height keeps the ratio. */
  readonly width: number;
}

/** From five megapixels on; three pictures of a hundred. */
const DECODED = new DecodedPictures({ minBytes: 2 ** 24, maxBytes: 2 ** 30 });

/**
 * A part of a picture file of ours as a PNG: samples, alpha and what is said of their colours as in the file, reduced by area where it is to be smaller.
 * Decoding goes by rows and off the event loop: the file is in memory for that time, its pixels never as a whole.
 */
export function picturePart(file: string, part: PicturePart, decoded = DECODED): Promise<Buffer> {
  return inTurn(() => decoded.reading(file, (source) => cut(source, part)));
}

async function cut(source: PictureSource, { region, width }: PicturePart): Promise<Buffer> {
  const { x: left, y: top } = region;
  const picture = (await openPicture(source)).extract({ left, top, width: region.width, height: region.height });
  const sized = width < region.width ? picture.resize({ width, kernel: 'lanczos3' }) : picture;
  return withPngChunks(await vipsWork(() => sized.png({ compressionLevel: 3 }).toBuffer()), source.colorChunks);
}
