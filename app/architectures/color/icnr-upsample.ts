import { averagePool } from '../../onnx/pooling.ts';
import type { Value } from '../../onnx/value.ts';

/**
 * The second half of fastai's `PixelShuffle_ICNR`: pixel shuffle of what its convolution gave, then a blur against the
 * checkerboard that this would leave (arXiv:1806.02658).
 */
export function shuffleAndBlur(x: Value, factor: number): Value {
  return averagePool(x.pixelShuffle(factor).pad([1, 1, 0, 0], 'edge'), { kernel: [2, 2] });
}
