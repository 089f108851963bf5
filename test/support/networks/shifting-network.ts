import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { smallNetwork, smallTensors } from './small-networks.ts';

/**
 * A Compact network that repeats pixels and adds a number to each colour, and does nothing else.
 * @param levels of 255 that are added to R, G and B
 */
export function shiftingNetwork(name: 'compact-x1' | 'compact-x2', levels: readonly number[]): Map<string, TensorData> {
  const network = smallNetwork(name);
  const tensors = [...smallTensors(network)].map(([key, { shape }]): [string, TensorData] => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    return [key, { shape, dtype: 'float32', data }];
  });
  const bias = tensors.filter(([key]) => key.endsWith('.bias')).at(-1)?.[1];
  if (!(bias?.data instanceof Float32Array)) throw new Error(`${name} has no last bias`);
  const { data } = bias;
  data.forEach((_, output) => {
    data[output] = (levels[Math.floor((output * levels.length) / data.length)] ?? 0) / 255;
  });
  return new Map(tensors);
}
