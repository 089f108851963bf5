import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { smallNetwork, smallTensors } from './small-networks.ts';

/** More than half of the largest number of 32 bits. */
const HUGE = 3e38;

/**
 * The small network `compact-x2` with weights that are all numbers and whose answer is none: an infinity, or the difference of two.
 */
export function overflowingNetwork(answer: 'infinity' | 'NaN'): Map<string, TensorData> {
  const network = smallNetwork('compact-x2');
  const tensors = smallTensors(network);
  const set = (name: string, value: (index: number, all: number) => number): void => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(name);
    const length = tensor.shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length }, (_, i) => value(i, length));
    tensors.set(name, { ...tensor, dtype: 'float32', data });
  };
  const outputs = tensors.get('body.2.bias')?.shape[0] ?? 1;
  // The middle of the first channel's 3 x 3, in every filter of a convolution.
  const middle = (name: string, value: number) => {
    const inputs = tensors.get(name)?.shape[1] ?? 1;
    set(name, (i) => (i % (9 * inputs) === 4 ? value : 0));
  };
  middle('body.0.weight', 0);
  set('body.0.bias', () => HUGE);
  middle('body.2.weight', answer === 'NaN' ? 2 : 1);
  set('body.2.bias', () => 0);
  middle('body.4.weight', answer === 'NaN' ? 1 : 2);
  if (answer === 'NaN' && outputs > 1) {
    // Minus the second channel, which is as infinite as the first.
    const inputs = tensors.get('body.4.weight')?.shape[1] ?? 1;
    set('body.4.weight', (i) => (i % (9 * inputs) === 4 ? 1 : i % (9 * inputs) === 13 ? -1 : 0));
  }
  return tensors;
}
