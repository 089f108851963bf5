import { shownFile, shownName } from '../../checkpoints/errors.ts';
import { readTensor } from '../../checkpoints/read-tensor.ts';
import type { StateDict } from '../../checkpoints/state-dict.ts';
import { WeightsError } from '../../onnx/errors.ts';
import type { TensorValues } from '../../onnx/weights.ts';

/**
 * Deep network interpolation (arXiv:1811.10515): `strength * first + (1 - strength) * second`, tensor by tensor, in float32.
 * @throws WeightsError where the two checkpoints are not of one network
 */
export function blendedValues(first: StateDict, second: StateDict, strength: number): TensorValues {
  for (const name of new Set([...first.tensors.keys(), ...second.tensors.keys()])) {
    const [shape, other] = [first, second].map(({ tensors }) => tensors.get(name)?.shape.join(' x '));
    if (shape === other) continue;
    throw new WeightsError(
      `${shownFile(second.file)}: cannot be blended with ${shownFile(first.file)}: ${shownName(name)} is ${other ?? 'missing'} instead of ${shape ?? 'missing'}`,
    );
  }
  const rest = Math.fround(1 - strength);
  const share = Math.fround(strength);
  return (name) => {
    const values = readTensor(first, name);
    const others = readTensor(second, name);
    return values.map((value, i) => Math.fround(share * value) + Math.fround(rest * (others[i] ?? 0)));
  };
}
