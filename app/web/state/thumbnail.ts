import type { Size } from './estimate.ts';

const SIDE = 128;

/** A small picture of a picture, and its size; undefined where this browser cannot show it (TIFF, most often). */
export async function thumbnailOf(file: Blob): Promise<{ readonly thumbnail: Blob; readonly size: Size } | undefined> {
  try {
    const bitmap = await createImageBitmap(file);
    const size = { width: bitmap.width, height: bitmap.height };
    const factor = Math.min(1, SIDE / Math.min(size.width, size.height));
    const width = Math.max(1, Math.round(size.width * factor));
    const height = Math.max(1, Math.round(size.height * factor));
    const small = await createImageBitmap(bitmap, {
      resizeWidth: width,
      resizeHeight: height,
      resizeQuality: 'medium',
    });
    bitmap.close();
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.drawImage(small, 0, 0);
    small.close();
    return { thumbnail: await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 }), size };
  } catch {
    return undefined;
  }
}
