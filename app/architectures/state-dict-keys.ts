import type { Weights } from '../onnx/weights.ts';

/** A `detect` that says yes where every one of `keys` is a tensor of the file, or has tensors below it. */
export function hasAll(...keys: readonly string[]): (weights: Weights) => boolean {
  return (weights) => keys.every((key) => weights.has(key));
}

/** Whether a tensor is the counter of training steps that `nn.BatchNorm2d` saves beside its statistics; no network uses it. */
export function isBatchNormCounter(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}
