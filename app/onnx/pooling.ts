import type { Sides } from './convolution.ts';
import { strided } from './convolution.ts';
import type { Value } from './value.ts';

/** A sliding window over NCHW. */
export interface PoolWindow {
  /** Height and width of the window. */
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  /** Padding that counts as nothing; by default none. */
  readonly padding?: Sides;
}

/** The largest value of every window (`F.max_pool2d`). */
export function maxPool(x: Value, window: PoolWindow): Value {
  return pool('MaxPool', x, window);
}

/** The mean of every window (`F.avg_pool2d`). */
export function averagePool(x: Value, window: PoolWindow): Value {
  return pool('AveragePool', x, window);
}

/** The mean of every channel over the whole picture: [N, C, 1, 1]. */
export function globalAveragePool(x: Value): Value {
  const [n = null, c = null] = x.shape;
  return x.graph.node({ op: 'GlobalAveragePool', inputs: [x] }, [n, c, 1, 1]);
}

/**
 * What a pooling gave, [N, C, 1, 1], at every pixel of `map`, where the sides of that are known; else as it is, which operators stretch. Maps of
 * one shape are multiplied in the layout of convolutions on the CPU; a stretched operand costs a change of it, to and fro.
 */
export function spreadOver(pooled: Value, map: Value): Value {
  const [h = null, w = null] = map.shape.slice(2);
  if (h === null || w === null || pooled.shape[2] !== 1 || pooled.shape[3] !== 1) return pooled;
  const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  const inputs = [pooled, null, pooled.graph.constant([1, 1, h, w])];
  return pooled.graph.node({ op: 'Resize', inputs, attributes }, map.shape);
}

/**
 * `x` unchanged, as means of one pixel each. For a value that comes from a Transpose or a DepthToSpace and goes to several convolutions or into a
 * sum with one: onnxruntime's CPU provider, which has a layout of its own for convolutions and pools, then changes to it once, and adds within
 * the convolution.
 */
export function inConvLayout(x: Value): Value {
  return averagePool(x, { kernel: [1, 1] });
}

function pool(op: 'MaxPool' | 'AveragePool', x: Value, window: PoolWindow): Value {
  const { kernel, stride = 1, padding = [0, 0, 0, 0] } = window;
  const [top, left, bottom, right] = padding;
  const attributes = { kernel_shape: kernel, strides: [stride, stride], pads: [top, left, bottom, right] };
  const [n = null, c = null, h = null, w = null] = x.shape;
  const shape = [
    n,
    c,
    strided(h, { kernel: kernel[0], padding: top + bottom, stride }),
    strided(w, { kernel: kernel[1], padding: left + right, stride }),
  ];
  return x.graph.node({ op, inputs: [x], attributes }, shape);
}
