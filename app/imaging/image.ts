/** Interleaved samples per pixel: gray, gray + alpha, RGB, RGB + alpha. */
export type Channels = 1 | 2 | 3 | 4;

/** Bits per sample. */
export type BitDepth = 8 | 16;

/** What is needed to know how many bytes an image takes. Sizes are in pixels. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  readonly depth: BitDepth;
}

/** One sample array: 0..255 or 0..65535. */
export type Samples = Uint8Array | Uint16Array;

/** An image in memory: rows from the top, pixels from the left, samples interleaved (HWC), alpha last and not premultiplied. */
export interface Image extends ImageShape {
  readonly data: Samples;
}

/** The shape alone of what has one. */
export function shapeOf({ width, height, channels, depth }: ImageShape): ImageShape {
  return { width, height, channels, depth };
}

/** Samples in one row. */
export function rowLength(shape: ImageShape): number {
  return shape.width * shape.channels;
}

/** Whether the last channel is alpha. */
export function hasAlpha(channels: Channels): boolean {
  return channels === 2 || channels === 4;
}

/** The largest sample value: 255 or 65535. */
export function maxSample(depth: BitDepth): number {
  return depth === 16 ? 65535 : 255;
}

/** A zeroed sample array of the width that `depth` asks for. */
export function allocateSamples(depth: BitDepth, length: number): Samples {
  return depth === 16 ? new Uint16Array(length) : new Uint8Array(length);
}

/** Whether an image has alpha that is full everywhere. */
export function isOpaque({ data, channels, depth }: Image): boolean {
  if (!hasAlpha(channels)) return false;
  const full = maxSample(depth);
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== full) return false;
  return true;
}
