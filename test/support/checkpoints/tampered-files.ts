import { join } from 'node:path';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeCheckpoint } from './checkpoint-writer.ts';
import { readSmallNetworks, smallTensors } from '../networks/small-networks.ts';

type Tensors = Map<string, TensorData>;

const NETWORKS = ['new-x2', 'old-x2', 'plus-x2', 'compact-x2', 'compact-x2-rgba'];

/** What was done to a network's tensors, by name; `at` is one of them. */
const DEEDS: Readonly<Record<string, (tensors: Tensors, at: string) => void>> = {
  'one-missing': (tensors, at) => tensors.delete(at),
  'one-too-many': (tensors, at) => tensors.set(`${at}2`, zeros([4, 4, 3, 3])),
  'one-of-another-shape': (tensors, at) => tensors.set(at, zeros([...shapeOf(tensors, at), 1])),
  'one-empty': (tensors, at) => tensors.set(at, zeros(shapeOf(tensors, at).map((size, i) => (i === 0 ? 0 : size)))),
  'one-not-a-number': (tensors, at) =>
    tensors.set(at, { ...zeros(shapeOf(tensors, at)), data: filled(tensors, at, NaN) }),
  'one-infinite': (tensors, at) =>
    tensors.set(at, { ...zeros(shapeOf(tensors, at)), data: filled(tensors, at, Infinity) }),
  'a-counter': (tensors) => tensors.set('step', zeros([])),
};

/** Writes networks of which something was taken away, added or changed into a folder. @returns the files' names */
export function writeTamperedFiles(folder: string): string[] {
  const networks = readSmallNetworks().filter(({ name }) => NETWORKS.includes(name));
  return networks.flatMap((network) => {
    const names = [...smallTensors(network).keys()];
    const places = { first: names[0], last: names.at(-1) };
    return Object.entries(DEEDS).flatMap(([deed, change]) =>
      Object.entries(places).map(([place, at = '']) => {
        const tensors = smallTensors(network);
        change(tensors, at);
        const file = `${network.name}-${deed}-${place}.pth`;
        writeCheckpoint(join(folder, file), tensors, { format: 'pth-zip' });
        return file;
      }),
    );
  });
}

function shapeOf(tensors: Tensors, name: string): readonly number[] {
  return tensors.get(name)?.shape ?? [];
}

function zeros(shape: readonly number[]): TensorData {
  return { shape, dtype: 'float32', data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
}

function filled(tensors: Tensors, name: string, value: number): Float32Array {
  return new Float32Array(shapeOf(tensors, name).reduce((a, b) => a * b, 1)).fill(value);
}
