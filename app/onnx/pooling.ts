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
