import { fetchBlob } from './connection.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The pixels of a result, `path` being where it is. Of a format that this browser does not know (TIFF, most often) it asks for two
 * parts, which the service answers as PNGs: the whole is only to be had as it was written.
 */
export async function bitmapOfResult(path: string, size: Size, signal?: AbortSignal): Promise<ImageBitmap> {
  const init = signal ? { signal } : {};
  const whole = await createImageBitmap(await fetchBlob(path, init)).catch(() => undefined);
  if (whole) return whole;
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  for (const { x, y, width, height } of halvesOf(size)) {
    const part = await createImageBitmap(await fetchBlob(`${path}?region=${x},${y},${width},${height}`, init));
    context?.drawImage(part, x, y);
    part.close();
  }
  return canvas.transferToImageBitmap();
}

function halvesOf({ width, height }: Size) {
  const [isFlat, longer] = [width > height, Math.max(width, height)];
  const first = Math.floor(longer / 2);
  const halves = [
    { from: 0, length: first },
    { from: first, length: longer - first },
  ];
  return halves.map(({ from, length }) =>
    isFlat ? { x: from, y: 0, width: length, height } : { x: 0, y: from, width, height: length },
  );
}
