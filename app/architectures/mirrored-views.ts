import type { Value } from '../onnx/value.ts';

/**
 * How many views of a picture a network may be shown. The other four symmetries of the square swap width and height: they
 * would need a second copy of the network, for a tenth of what these four bring.
 */
export type Views = 1 | 2 | 4;

/** The views: along which axes of [N, C, H, W] each is mirrored. Two of them are the picture and itself upside down. */
const MIRRORED_AXES: readonly (readonly number[])[] = [[], [2, 3], [3], [2]];

/** [N, C, H, W] to [views N, C, H, W]: the images as they are, then mirrored. */
export function mirroredViews(images: Value, views: Views): Value {
  const [first, ...others] = MIRRORED_AXES.slice(0, views).map((axes) => mirrored(images, axes));
  return first && others.length > 0 ? first.concat(others, 0) : images;
}

/**
 * What a network made of `mirroredViews`, mirrored back and averaged: [N, ...]. Its errors differ from view to view, and so
 * partly cancel out ("self-ensemble": Timofte, Rothe, Van Gool, CVPR 2016; `-x` of realesrgan-ncnn).
 */
export function meanOfViews(outputs: Value, views: Views): Value {
  if (views === 1) return outputs;
  const images = outputs.size(0) / views;
  const turned = MIRRORED_AXES.slice(0, views).map((axes, view) =>
    mirrored(outputs.slice(0, view * images, (view + 1) * images), axes),
  );
  return turned.reduce((sum, view) => sum.add(view)).scale(1 / views);
}

function mirrored(value: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? value : value.flip(axes);
}
