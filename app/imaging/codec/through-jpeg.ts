import type { Image } from '../image.ts';
import { decodeImage } from './codec.ts';
import { sharp } from './codec-sharp.ts';
import { inTurn } from './turns.ts';
import { vipsWork } from './vips-work.ts';

/**
 * What is left of a picture of 8 bits that was a JPEG once, its colours as fine as its luma.
 * @param quality 1..100
 */
export async function throughJpeg({ width, height, channels, data }: Image, quality: number): Promise<Image> {
  const raw = { width, height, channels };
  const file = await inTurn(() =>
    vipsWork(() => sharp(data, { raw }).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()),
  );
  return (await decodeImage(file, { maxPixels: width * height })).image;
}
