import type { Value } from './value.ts';

/** Resizes NCHW by `factor`, halves of pixels aligned and nothing smoothed (`F.interpolate(mode='bilinear')`). */
export function resizeBilinear(x: Value, factor: number): Value {
  const scales = x.graph.constant([1, 1, factor, factor]);
  const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
  const [n = null, c = null] = x.shape;
  const shape = [n, c, Math.floor(x.size(2) * factor), Math.floor(x.size(3) * factor)];
  return x.graph.node({ op: 'Resize', inputs: [x, null, scales], attributes }, shape);
}

/** Resizes NCHW to `height` x `width`, as `resizeBilinear` does (`F.interpolate(size=..., mode='bilinear')`). */
export function resizeBilinearTo(x: Value, height: number, width: number): Value {
  const shape = [x.size(0), x.size(1), height, width];
  const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
  return x.graph.node({ op: 'Resize', inputs: [x, null, null, x.graph.integers(shape)], attributes }, shape);
}

/** The same with corner pixels on corner pixels (`F.interpolate(size=..., mode='bilinear', align_corners=True)`). */
export function resizeBilinearCorners(x: Value, height: number, width: number): Value {
  const shape = [x.size(0), x.size(1), height, width];
  const attributes = { mode: 'linear', coordinate_transformation_mode: 'align_corners' };
  return x.graph.node({ op: 'Resize', inputs: [x, null, null, x.graph.integers(shape)], attributes }, shape);
}

/** Resizes NCHW to `height` x `width` by cubic splines of -0.75, nothing smoothed (`F.interpolate(size=..., mode='bicubic')`). */
export function resizeBicubicTo(x: Value, height: number, width: number): Value {
  const shape = [x.size(0), x.size(1), height, width];
  const attributes = {
    mode: 'cubic',
    cubic_coeff_a: { float: -0.75 },
    coordinate_transformation_mode: 'half_pixel',
  };
  return x.graph.node({ op: 'Resize', inputs: [x, null, null, x.graph.integers(shape)], attributes }, shape);
}

/** Resizes NCHW to `height` x `width`, each pixel a copy of the nearest (`F.interpolate(size=..., mode='nearest')`). */
export function resizeNearestTo(x: Value, height: number, width: number): Value {
  if (x.shape[2] === height && x.shape[3] === width) return x;
  const shape = [x.size(0), x.size(1), height, width];
  const attributes = {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  };
  return x.graph.node({ op: 'Resize', inputs: [x, null, null, x.graph.integers(shape)], attributes }, shape);
}

/**
 * Looks NCHW `x` up at the places of `grid` [N, H', W', 2] (x, then y; -1 and 1 are the outer edges of the picture), bilinearly;
 * beyond the edge is the nearest pixel (`F.grid_sample(padding_mode='border', align_corners=False)`).
 */
export function gridSample(x: Value, grid: Value): Value {
  return sampled(x, grid, { padding_mode: 'border', align_corners: 0 });
}

/** The same where -1 and 1 are the middles of the outer pixels, and beyond the edge is nothing (`padding_mode='zeros', align_corners=True`). */
export function gridSampleCorners(x: Value, grid: Value): Value {
  return sampled(x, grid, { padding_mode: 'zeros', align_corners: 1 });
}

function sampled(x: Value, grid: Value, how: { readonly padding_mode: string; readonly align_corners: number }): Value {
  const shape = [x.size(0), x.size(1), grid.size(1), grid.size(2)];
  return x.graph.node({ op: 'GridSample', inputs: [x, grid], attributes: { mode: 'linear', ...how } }, shape);
}
