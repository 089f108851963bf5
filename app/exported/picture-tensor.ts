import type { Tensor } from '../inference/session.ts';
import type { PictureEnd } from './picture-model.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
  /** From this column on the picture is its own negative. */
  readonly invertedFrom?: number;
}

/** A picture of changing brightness, as a model takes it: 1 x channels x height x width, or with the channels last. */
export function pictureTensor({ channels, layout, element, full }: PictureEnd, size: PictureSize): Tensor {
  const { width, height, invertedFrom = width } = size;
  const dims = layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
  const values = Array.from({ length: channels * width * height }, (_, i) => {
    const column = (layout === 'nchw' ? i : Math.floor(i / channels)) % width;
    const value = ((i * 37) % 101) / 101;
    return column < invertedFrom ? value : 1 - value;
  });
  if (element === 'uint8') return { type: 'uint8', data: Uint8Array.from(values, (value) => value * 255), dims };
  if (element === 'float32') return { type: 'float32', data: Float32Array.from(values, (value) => value * full), dims };
  // Every half between 0 and 1 is a whole number of 1024ths of a power of two; these are 1/2 to 1, which serve as well.
  const halves = Uint16Array.from(values, (value) => (full === 255 ? 0x5800 : 0x3800) + Math.floor(value * 0x3ff));
  return { type: 'float16', data: halves, dims };
}
