import type { BitDepth, ImageShape, Samples } from './image.ts';
import { allocateSamples, hasAlpha, maxSample } from './image.ts';
import type { RowSink, RowSource } from './rows.ts';

/** `source` as RGB: gray is repeated, alpha is left out, and samples are rounded to `depth` bits where they have more. */
export function rgbRows(source: RowSource, depth: BitDepth = source.depth): RowSource {
  const { width, height, channels } = source;
  if (channels === 3 && depth === source.depth) return source;
  const scale = maxSample(depth) / maxSample(source.depth);
  const steps = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const readRows = (y: number, count: number): Samples => {
    const rows = source.readRows(y, count);
    const rgb = allocateSamples(depth, width * count * 3);
    for (let pixel = 0; pixel < width * count; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        const sample = rows[pixel * channels + (steps[channel] ?? 0)] ?? 0;
        rgb[pixel * 3 + channel] = scale === 1 ? sample : Math.round(sample * scale);
      }
    }
    return rgb;
  };
  return { width, height, channels: 3, depth, readRows };
}

/** What `shape` is in colour: RGB, with alpha where it has that. */
export function coloredShape(shape: ImageShape): ImageShape {
  const { width, height, depth } = shape;
  return { width, height, depth, channels: hasAlpha(shape.channels) ? 4 : 3 };
}

/** `source` without its alpha: gray or RGB. */
export function withoutAlpha(source: RowSource): RowSource {
  if (!hasAlpha(source.channels)) return source;
  const { width, height, depth, channels } = source;
  const colors = channels === 2 ? 1 : 3;
  const readRows = (y: number, count: number): Samples => {
    const rows = source.readRows(y, count);
    const kept = allocateSamples(depth, width * count * colors);
    for (let pixel = 0; pixel < width * count; pixel++) {
      for (let c = 0; c < colors; c++) kept[pixel * colors + c] = rows[pixel * channels + c] ?? 0;
    }
    return kept;
  };
  return { width, height, channels: colors, depth, readRows };
}

/**
 * Takes rows of colours for a sink that may have alpha where `source` has: then that of the same rows of `source` goes with them.
 */
export function withAlphaOf(source: RowSource, sink: RowSink): RowSink {
  if (!hasAlpha(source.channels)) return sink;
  const { width, channels } = source;
  const colors = sink.channels === 2 ? 1 : 3;
  const stride = colors + 1;
  let y = 0;
  const writeRows = (colored: Samples): void => {
    const count = colored.length / (colors * width);
    const rows = source.readRows(y, count);
    const whole = allocateSamples(sink.depth, width * count * stride);
    for (let pixel = 0; pixel < width * count; pixel++) {
      for (let c = 0; c < colors; c++) whole[stride * pixel + c] = colored[colors * pixel + c] ?? 0;
      whole[stride * pixel + colors] = rows[(pixel + 1) * channels - 1] ?? 0;
    }
    y += count;
    sink.writeRows(whole);
  };
  return { width, height: sink.height, channels: colors, depth: sink.depth, writeRows };
}
