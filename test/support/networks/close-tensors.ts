import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';

/** A float32 tensor of a `.safetensors` file. */
export interface ReadTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export function readNamed(file: string, name: string): ReadTensor {
  const dict = openCheckpoint(file);
  return { shape: dict.tensors.get(name)?.shape ?? [], values: readTensor(dict, name) };
}

/**
 * Fails unless every element is within `tolerance`; says how the differences are distributed, which tells a wrong layer
 * (all of them) from a wrong border (few).
 */
export function expectClose(actual: ReadTensor, expected: ReadTensor, tolerance: number): void {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`shape [${actual.shape.join()}] instead of [${expected.shape.join()}]`);
  }
  const apart = expected.values.map((value, i) => Math.abs((actual.values[i] ?? NaN) - value));
  const max = apart.reduce((a, b) => (b <= a ? a : b), 0); // a NaN is kept
  if (max <= tolerance) return;
  const share = (factor: number) => {
    const count = apart.reduce((n, value) => (value <= tolerance * factor ? n : n + 1), 0);
    return `${((100 * count) / apart.length).toFixed(1)} % above ${factor} x`;
  };
  const mean = apart.reduce((a, b) => a + b, 0) / apart.length;
  throw new Error(
    `off by up to ${max}, ${mean} on average; tolerance ${tolerance}: ${[1, 10, 1000].map(share).join(', ')}`,
  );
}
