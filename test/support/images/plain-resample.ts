import type { Image, Samples } from '../../../app/imaging/image.ts';
import { allocateSamples } from '../../../app/imaging/image.ts';
import type { Windows, WindowedFilter } from '../../../app/imaging/pillow/resample-windows.ts';
import { resampleWindows } from '../../../app/imaging/pillow/resample-windows.ts';

/** Bound here: in the `vm` context that tests run in, looking it up for every sample takes longer than all the rest. */
const { imul, max, min, trunc } = Math;

/**
 * Resizes an image as Resample.c is written, a sample at a time and the whole image in memory: nothing of how the product does it but
 * the windows. Alpha is a channel like any other.
 */
export function plainResample(image: Image, width: number, height: number, filter: WindowedFilter): Image {
  const isVerticalFirst = image.height - height > 0 && image.height - height > 2 * (image.width - width);
  const wide = (from: Image): Image =>
    from.width === width ? from : alongX(from, resampleWindows(from.width, width, filter));
  const high = (from: Image): Image =>
    from.height === height ? from : turned(alongX(turned(from), resampleWindows(from.height, height, filter)));
  return isVerticalFirst ? wide(high(image)) : high(wide(image));
}

function alongX(image: Image, { outputSize, starts, counts, stride, weights }: Windows): Image {
  const { height, channels, depth } = image;
  const data = allocateSamples(depth, outputSize * height * channels);
  for (let x = 0; x < outputSize; x++) {
    const window = weights.subarray(x * stride, x * stride + (counts[x] ?? 0));
    const fixed = Int32Array.from(window, (weight) => trunc(weight * (1 << 22) + (weight < 0 ? -0.5 : 0.5)));
    for (let i = 0; i < height * channels; i++) {
      const [y, channel] = [trunc(i / channels), i % channels];
      const from = y * image.width * channels + (starts[x] ?? 0) * channels + channel;
      const samples = { data: image.data, from, step: channels };
      data[(y * outputSize + x) * channels + channel] =
        depth === 8 ? weighed8(samples, fixed) : weighed16(samples, window);
    }
  }
  return { ...image, width: outputSize, data };
}

interface Line {
  readonly data: Samples;
  readonly from: number;
  readonly step: number;
}

function weighed8({ data, from, step }: Line, weights: Int32Array): number {
  let sum = 1 << 21;
  for (let k = 0; k < weights.length; k++) sum = (sum + imul(data[from + k * step] ?? NaN, weights[k] ?? NaN)) | 0;
  return min(max(sum >> 22, 0), 255);
}

function weighed16({ data, from, step }: Line, weights: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += (data[from + k * step] ?? NaN) * (weights[k] ?? NaN);
  return min(max(trunc(sum + 0.5), 0), 65535);
}

/** With rows for columns. */
function turned({ width, height, channels, depth, data }: Image): Image {
  const result = allocateSamples(depth, data.length);
  for (let i = 0; i < result.length; i++) {
    const [channel, pixel] = [i % channels, trunc(i / channels)];
    const [y, x] = [pixel % height, trunc(pixel / height)];
    result[i] = data[(y * width + x) * channels + channel] ?? NaN;
  }
  return { width: height, height: width, channels, depth, data: result };
}
