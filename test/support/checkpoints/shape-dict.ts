import { UnknownNetworkError } from '../../../app/architectures/errors.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import { buildTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import type { DType, StateDict, TensorInfo } from '../../../app/checkpoints/state-dict.ts';
import { contiguousStrides } from '../../../app/checkpoints/tensor-layout.ts';
import { WeightsError } from '../../../app/onnx/errors.ts';
import { readManifest } from './hashed-weights.ts';

/** Names and shapes of tensors; float32 unless an entry says otherwise. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * A state dict of which nothing but names and shapes exists: enough to recognise a network and to emit its graph, both of which
 * leave the weights where they are.
 */
export function shapeDict(shapes: Shapes, dtypes: ReadonlyMap<string, DType> = new Map()): StateDict {
  const tensors = new Map(
    [...shapes].map(([name, shape]): [string, TensorInfo] => {
      const dtype = dtypes.get(name) ?? 'float32';
      const strides = contiguousStrides(shape);
      return [name, { shape, dtype, offset: 64, strides, isContiguous: true, isBigEndian: false }];
    }),
  );
  return { file: 'shapes.pth', format: 'pth-zip', root: [], tensors, leftOut: [] };
}

/** The shapes of an official checkpoint. */
export function manifestShapes(name: string): Map<string, readonly number[]> {
  return new Map(readManifest(name).tensors.map(({ name: tensor, shape }) => [tensor, shape]));
}

/** Whether these tensors make a network: one that is known, and that misses none of them and has use for all. */
export function builds(shapes: Shapes): boolean {
  try {
    const network = recognise(shapeDict(shapes));
    buildTensorGraph(network, [1, network.inputChannels, 32, 32]);
    return true;
  } catch (error) {
    if (error instanceof WeightsError || error instanceof UnknownNetworkError) return false;
    throw error;
  }
}
