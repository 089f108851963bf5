import type { BitDepth, Samples } from '../../../imaging/image.ts';
import { allocateSamples, maxSample } from '../../../imaging/image.ts';
import { labToRgb, rgbToLightness } from '../../../imaging/opencv/lab.ts';
import { rgbRows, withAlphaOf } from '../../../imaging/rgb-rows.ts';
import { batchRows } from '../../../imaging/row-batch.ts';
import type { RowSink, RowSource } from '../../../imaging/rows.ts';
import { sampleLinear } from '../../../imaging/opencv/sample-linear.ts';

/** The side at which DDColor looks at every picture, in pixels. */
export const DDCOLOR_SIDE = 512;

/** a and b of Lab as a network gave them: two planes of `side` x `side`. */
export interface AbMap {
  readonly side: number;
  readonly data: Float32Array;
}

/**
 * What DDColor sees of a picture: its lightness alone, as RGB, stretched to a square; [1, 3, side, side], 0..1.
 * Reference: ColorizationPipeline.process in ddcolor/pipeline.py.
 */
export function ddcolorInput(source: RowSource, side = DDCOLOR_SIDE): Float32Array {
  const pixels = side * side;
  const colors = sampleLinear(rgbRows(source), side, side);
  const lightness = new Float32Array(pixels);
  rgbToLightness(colors, lightness);
  const lab = new Float32Array(3 * pixels);
  lightness.forEach((value, pixel) => (lab[3 * pixel] = value));
  labToRgb(lab, colors);
  return Float32Array.from({ length: 3 * pixels }, (_, i) => colors[(i % pixels) * 3 + Math.floor(i / pixels)] ?? 0);
}

/**
 * Writes `source` in the colours of `ab`: lightness of the full picture, a and b of the nearest place of the map (the reference's
 * choice). `sink` has the shape `colouredShape(source)`.
 * @param onRows told how many rows are written
 */
export function paintAb(source: RowSource, ab: AbMap, sink: RowSink, onRows: (rows: number) => void): void {
  const { width, height, depth } = source;
  const rgb = rgbRows(source);
  const target = withAlphaOf(source, sink);
  const [columns, rows] = [nearest(ab.side, width), nearest(ab.side, height)];
  const stripRows = batchRows(3 * width);
  for (let y = 0; y < height; y += stripRows) {
    const strip = toFloats(rgb.readRows(y, Math.min(stripRows, height - y)), depth);
    const lightness = new Float32Array(strip.length / 3);
    rgbToLightness(strip, lightness);
    const lab = new Float32Array(strip.length);
    for (let pixel = 0; pixel < lightness.length; pixel++) {
      const place = (rows[y + Math.floor(pixel / width)] ?? 0) * ab.side + (columns[pixel % width] ?? 0);
      lab[3 * pixel] = lightness[pixel] ?? 0;
      lab[3 * pixel + 1] = ab.data[place] ?? 0;
      lab[3 * pixel + 2] = ab.data[ab.side ** 2 + place] ?? 0;
    }
    labToRgb(lab, strip);
    target.writeRows(toSamples(strip, depth));
    onRows(y + strip.length / (3 * width));
  }
}

/** For every place of `to` the one of `from` that `F.interpolate` takes by default; it counts in float32. */
function nearest(from: number, to: number): Uint32Array {
  const scale = Math.fround(from / to);
  return Uint32Array.from({ length: to }, (_, i) => Math.min(Math.floor(Math.fround(i * scale)), from - 1));
}

function toFloats(samples: Samples, depth: BitDepth): Float32Array {
  const limit = maxSample(depth);
  const values = new Float32Array(samples.length);
  for (let i = 0; i < values.length; i++) values[i] = (samples[i] ?? 0) / limit;
  return values;
}

function toSamples(values: Float32Array, depth: BitDepth): Samples {
  const limit = maxSample(depth);
  const samples = allocateSamples(depth, values.length);
  for (let i = 0; i < values.length; i++) samples[i] = Math.round((values[i] ?? 0) * limit);
  return samples;
}
