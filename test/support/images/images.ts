import type { Image, ImageShape, Samples } from '../../../app/imaging/image.ts';
import { allocateSamples, maxSample, rowLength } from '../../../app/imaging/image.ts';
import type { RowSink } from '../../../app/imaging/rows.ts';

/** Bound here: in the `vm` context that tests run in, looking it up for every sample takes longer than all the rest. */
const { imul } = Math;

/** The same numbers on every machine: a 32-bit linear congruential generator, high bits first. */
export function noise(shape: ImageShape, seed = 1): Image {
  const data = allocateSamples(shape.depth, rowLength(shape) * shape.height);
  let state = seed >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> (32 - shape.depth);
  }
  return { ...shape, data };
}

/** A smooth picture with a different slope in every channel; what lossy formats keep well. */
export function gradient(shape: ImageShape): Image {
  const data = allocateSamples(shape.depth, rowLength(shape) * shape.height);
  for (let i = 0; i < data.length; i++) {
    const channel = i % shape.channels;
    const x = Math.trunc(i / shape.channels) % shape.width;
    const y = Math.trunc(i / rowLength(shape));
    const along = [x / shape.width, y / shape.height, (x + y) / (shape.width + shape.height), 1 - x / shape.width];
    data[i] = Math.round((along[channel] ?? 0) * maxSample(shape.depth));
  }
  return { ...shape, data };
}

/** The image of `shape` that `write` writes into a sink. */
export function collectImage(shape: ImageShape, write: (sink: RowSink) => void): Image {
  const data = allocateSamples(shape.depth, rowLength(shape) * shape.height);
  let filled = 0;
  const writeRows = (rows: Samples): void => {
    data.set(rows, filled);
    filled += rows.length;
  };
  write({ ...shape, writeRows });
  if (filled !== data.length) throw new Error(`${filled} samples written of ${data.length}`);
  return { ...shape, data };
}

export interface Difference {
  /** Largest difference between two samples at the same place. */
  readonly max: number;
  /** How many samples differ. */
  readonly count: number;
  readonly mean: number;
}

/** How far two images are apart; images of different shapes are an error that says so. */
export function difference(actual: Image, expected: Image): Difference {
  const [a, b] = [shapeOf(actual), shapeOf(expected)];
  if (a !== b) throw new Error(`shapes differ: ${a} instead of ${b}`);
  return sampleDifference(actual.data, expected.data);
}

/** The share of samples that are at most `levels` apart, 0..1. */
export function shareWithin(actual: Image, expected: Image, levels: number): number {
  difference(actual, expected); // which must be of the same shape
  let near = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const change = (actual.data[i] ?? NaN) - (expected.data[i] ?? NaN);
    if (change <= levels && change >= -levels) near++;
  }
  return near / expected.data.length;
}

function sampleDifference(actual: Samples, expected: Samples): Difference {
  let max = 0;
  let count = 0;
  let sum = 0;
  for (let i = 0; i < expected.length; i++) {
    const change = (actual[i] ?? NaN) - (expected[i] ?? NaN);
    if (change === 0) continue;
    const apart = change < 0 ? -change : change;
    max = apart > max ? apart : max;
    count += 1;
    sum += apart;
  }
  return { max, count, mean: sum / Math.max(expected.length, 1) };
}

function shapeOf({ width, height, channels, depth }: ImageShape): string {
  return `${width}x${height}x${channels} of ${depth} bits`;
}
