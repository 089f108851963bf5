import { readTensor } from '../checkpoints/read-tensor.ts';
import type { StateDict } from '../checkpoints/state-dict.ts';
import { WeightsError } from '../onnx/errors.ts';
import type { TensorValues } from '../onnx/weights.ts';

/**
 * Deep network interpolation (arXiv:1811.10515): `strength * first + (1 - strength) * second`, tensor by tensor, in float32.
 * @throws WeightsError where the two checkpoints are not of one network
 */
export function blendedValues(first: StateDict, second: StateDict, strength: number): TensorValues {
  for (const [name, { shape }] of first.tensors) {
    const other = second.tensors.get(name)?.shape;
    if (other?.join() !== shape.join()) {
      throw new WeightsError(`${second.file}: cannot be blended with ${first.file}: ${name} is not the same in both`);
    }
  }
  const rest = Math.fround(1 - strength);
  const share = Math.fround(strength);
  return (name) => {
    const values = readTensor(first, name);
    const others = readTensor(second, name);
    return values.map((value, i) => Math.fround(share * value) + Math.fround(rest * (others[i] ?? 0)));
  };
}
