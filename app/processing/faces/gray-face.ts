import type { WarpSource } from '../../imaging/opencv/affine-warp.ts';
import type { Image } from '../../imaging/image.ts';

/** Mean of the variances of B - G, G - R and R - B up to which a picture counts as gray. */
const GRAY_VARIANCE = 10;

/** Whether an 8-bit RGB picture has no colours but a cast (CodeFormer's `is_gray`). */
export function isGray({ data }: Image): boolean {
  const pixels = data.length / 3;
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let pixel = 0; pixel < data.length; pixel += 3) {
    for (let channel = 0; channel < 3; channel++) {
      const apart = (data[pixel + channel] ?? 0) - (data[pixel + ((channel + 1) % 3)] ?? 0);
      sums[channel] = (sums[channel] ?? 0) + apart;
      squares[channel] = (squares[channel] ?? 0) + apart * apart;
    }
  }
  const variances = squares.map((square, channel) => square / pixels - ((sums[channel] ?? 0) / pixels) ** 2);
  return variances.reduce((total, variance) => total + variance, 0) / 3 <= GRAY_VARIANCE;
}

/**
 * A restored face of a gray picture: without its colours, in the brightness and contrast of the face it was made from, channel
 * by channel (CodeFormer's `bgr2gray` and `adain_npy`), in 0..255; the reference lets values beyond wrap around.
 */
export function grayFace(restored: Image, original: Image): WarpSource {
  const { width, height, data } = restored;
  const gray = Float64Array.from({ length: width * height }, (_, pixel) => {
    const [r = 0, g = 0, b = 0] = data.subarray(pixel * 3, pixel * 3 + 3);
    return 0.2989 * r + 0.587 * g + 0.114 * b;
  });
  const from = statistics(gray, 0, 1);
  const toned = new Float32Array(gray.length * 3);
  for (let channel = 0; channel < 3; channel++) {
    const to = statistics(original.data, channel, 3);
    gray.forEach((value, pixel) => {
      const tone = ((value - from.mean) / from.deviation) * to.deviation + to.mean;
      toned[pixel * 3 + channel] = Math.max(0, Math.min(tone, 255));
    });
  }
  return { width, height, channels: 3, data: toned };
}

/** Mean and standard deviation (of all, with 1e-5 added to the variance) of every `step`th value from `start` on. */
function statistics(values: ArrayLike<number>, start: number, step: number): { mean: number; deviation: number } {
  const count = Math.ceil((values.length - start) / step);
  let sum = 0;
  for (let i = start; i < values.length; i += step) sum += values[i] ?? 0;
  const mean = sum / count;
  let squares = 0;
  for (let i = start; i < values.length; i += step) squares += ((values[i] ?? 0) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count + 1e-5) };
}
