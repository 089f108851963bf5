import type { Image, Samples } from '../../../imaging/image.ts';
import { maxSample } from '../../../imaging/image.ts';
import { resample } from '../../../imaging/pillow/resample.ts';
import { rgbRows, withAlphaOf } from '../../../imaging/rgb-rows.ts';
import type { RowSink, RowSource } from '../../../imaging/rows.ts';
import { rowsOf } from '../../../imaging/rows.ts';
import { joinLumaAndChroma } from '../../../imaging/opencv/yuv.ts';

/** Pixels of the network's square side for each step of `render_factor`. */
const PIXELS_PER_FACTOR = 16;

/** ImageNet's statistics, R, G, B. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

/** The side of the square that DeOldify paints, in pixels. */
export function renderSide(renderFactor: number): number {
  return PIXELS_PER_FACTOR * renderFactor;
}

/**
 * What DeOldify sees of a picture: its luma as RGB, stretched to a square; [1, 3, side, side] under ImageNet's normalisation.
 * Reference: deoldify/filters.py.
 */
export function deoldifyInput(source: RowSource, side: number): Float32Array {
  const pixels = side * side;
  const square = new Uint8Array(3 * pixels);
  let filled = 0;
  const writeRows = (rows: Samples): void => {
    square.set(rows, filled);
    filled += rows.length;
  };
  resample(rgbRows(source, 8), { width: side, height: side, channels: 3, depth: 8, writeRows }, 'BILINEAR');
  const input = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const light = pillowLuma(square, 3 * pixel) / 255;
    MEAN.forEach((mean, channel) => (input[channel * pixels + pixel] = (light - mean) / (STD[channel] ?? 1)));
  }
  return input;
}

/** The network's answer as a picture of `side` x `side`: RGB, 8 bits, cut off where it is between two numbers. */
export function deoldifyColors(output: Float32Array, side: number): Image {
  const pixels = side * side;
  const data = new Uint8Array(3 * pixels);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    const value = output[channel * pixels + Math.floor(i / 3)] ?? 0;
    const shade = Math.fround(Math.fround(value * (STD[channel] ?? 1)) + (MEAN[channel] ?? 0));
    data[i] = Math.floor(Math.fround(Math.max(0, Math.min(shade, 1)) * 255));
  }
  return { width: side, height: side, channels: 3, depth: 8, data };
}

/**
 * Writes `source` in the colours of a small picture: luma of the full picture, chroma of the small one, enlarged. `sink` has the
 * shape `colouredShape(source)`.
 * @param onRows told how many rows are written
 */
export function paintChroma(source: RowSource, colors: Image, sink: RowSink, onRows: (rows: number) => void): void {
  const { width, height, depth } = source;
  const rgb = rgbRows(source);
  const target = withAlphaOf(source, sink);
  const scale = maxSample(depth) / maxSample(colors.depth);
  let y = 0;
  const writeRows = (enlarged: Samples): void => {
    const count = enlarged.length / (3 * width);
    const painted = rgb.readRows(y, count).slice();
    const color = scale === 1 ? enlarged : Uint16Array.from(enlarged, (sample) => sample * scale);
    joinLumaAndChroma(painted, color, painted, depth);
    target.writeRows(painted);
    onRows((y += count));
  };
  resample(rowsOf(colors), { width, height, channels: 3, depth: 8, writeRows }, 'BILINEAR');
}

/** Pillow's conversion to gray (`convert('L')`). */
function pillowLuma(rgb: Uint8Array, at: number): number {
  const [r, g, b] = [rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0];
  return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
}
