import { blendSamples } from '../../imaging/blend.ts';
import type { Samples } from '../../imaging/image.ts';
import { maxSample, rowLength } from '../../imaging/image.ts';
import type { RowSource } from '../../imaging/rows.ts';
import type { FaceLayer } from './face-layer.ts';

/** Weights of R, G and B in gray (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

/** What sums of products may be off by: a sample that nothing changes must not fall below itself. */
const ROUNDING = 1e-6;

/**
 * `background` with faces blended in, one after the other, as its rows are read: gray stays gray, 16 bits keep theirs, alpha is
 * left alone. Sums are cut to whole samples, as facexlib does.
 * @param strength 0..1: how much of the faces shows; 0 gives the background exactly
 */
export function pasteFaces(background: RowSource, layers: readonly FaceLayer[], strength: number): RowSource {
  const { width, height, channels, depth } = background;
  const length = rowLength(background);
  return {
    width,
    height,
    channels,
    depth,
    readRows(y, count) {
      const original = background.readRows(y, count);
      const changed = original.slice();
      for (let row = 0; row < count; row++) {
        const samples = changed.subarray(row * length, (row + 1) * length);
        blendLayers({ samples, channels, unit: maxSample(depth) / 255 }, y + row, layers);
      }
      if (strength < 1) blendSamples(original, changed, strength, changed);
      return changed;
    },
  };
}

interface Row {
  readonly samples: Samples;
  readonly channels: number;
  /** What one level of 255 is in the row's samples. */
  readonly unit: number;
}

/** Blends all layers that touch row `y`; the row is cut to whole samples once, after the last. */
function blendLayers(row: Row, y: number, layers: readonly FaceLayer[]): void {
  const touching = layers.filter(({ region }) => y >= region.y && y < region.y + region.height);
  if (touching.length === 0) return;
  const left = Math.min(...touching.map(({ region }) => region.x));
  const right = Math.max(...touching.map(({ region }) => region.x + region.width));
  const colors = readColors(row, left, right);
  for (const { region, blendRow } of touching) {
    const from = (region.x - left) * 3;
    blendRow(y, colors.subarray(from, from + region.width * 3), row.unit);
  }
  writeColors(row, left, colors);
}

/** Pixels `left .. right - 1` as RGB. */
function readColors({ samples, channels }: Row, left: number, right: number): Float64Array {
  const colors = new Float64Array((right - left) * 3);
  const [second, third] = channels < 3 ? [0, 0] : [1, 2];
  for (let at = 0, from = left * channels; at < colors.length; at += 3, from += channels) {
    colors[at] = samples[from] ?? 0;
    colors[at + 1] = samples[from + second] ?? 0;
    colors[at + 2] = samples[from + third] ?? 0;
  }
  return colors;
}

function writeColors({ samples, channels }: Row, left: number, colors: Float64Array): void {
  for (let at = 0, to = left * channels; at < colors.length; at += 3, to += channels) {
    const [r, g, b] = [colors[at] ?? 0, colors[at + 1] ?? 0, colors[at + 2] ?? 0];
    if (channels < 3) {
      samples[to] = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b + ROUNDING;
    } else {
      samples[to] = r + ROUNDING;
      samples[to + 1] = g + ROUNDING;
      samples[to + 2] = b + ROUNDING;
    }
  }
}
