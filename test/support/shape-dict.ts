import type { DType, StateDict, TensorInfo } from '../../app/checkpoints/state-dict.ts';
import { contiguousStrides } from '../../app/checkpoints/tensor-layout.ts';
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
  return { file: 'shapes.pth', format: 'pth-zip', root: [], tensors };
}

/** The shapes of an official checkpoint. */
export function manifestShapes(name: string): Map<string, readonly number[]> {
  return new Map(readManifest(name).tensors.map(({ name: tensor, shape }) => [tensor, shape]));
}
