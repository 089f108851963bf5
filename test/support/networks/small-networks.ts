import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckpointReport } from '../../../app/architectures/inspect-checkpoint.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import type { CheckpointFormat } from '../../../app/checkpoints/state-dict.ts';
import { writeCheckpoint } from '../checkpoints/checkpoint-writer.ts';
import { buildManifestTensors } from '../checkpoints/hashed-weights.ts';

type Bounds = readonly [shape: readonly number[], low: number, high: number];

/** A network of test/fixtures/networks/index.json, which generate.py made with torch and spandrel. */
export interface SmallNetwork {
  readonly name: string;
  readonly seed: number;
  readonly dtype: 'float32' | 'float16' | 'bfloat16' | 'float64';
  /** What spandrel recognises. */
  readonly expected: Omit<CheckpointReport, 'tensors' | 'parameter_count' | 'format'>;
  readonly tensors: Readonly<Record<string, Bounds>>;
}

/** A file of test/fixtures/networks. */
export function networkFixture(file: string): string {
  return fileURLToPath(new URL(`../../fixtures/networks/${file}`, import.meta.url));
}

export function readSmallNetworks(): readonly SmallNetwork[] {
  return JSON.parse(readFileSync(networkFixture('index.json'), 'utf8')) as SmallNetwork[];
}

/** The network of that name. */
export function smallNetwork(name: string): SmallNetwork {
  const network = readSmallNetworks().find((one) => one.name === name);
  if (!network) throw new Error(`no small network is called ${name}`);
  return network;
}

/** Writes the network of that name to `name.pth` of a folder. @returns the file's path */
export function writeSmallCheckpoint(folder: string, name: string): string {
  const file = join(folder, `${name}.pth`);
  writeSmallNetwork(file, smallNetwork(name), 'pth-zip');
  return file;
}

/** The network's tensors as float32. */
export function smallTensors({ seed, tensors }: SmallNetwork): Map<string, TensorData> {
  const rows = Object.entries(tensors).map(([name, [shape, low, high]]) => {
    return { name, shape, low, high, dtype: 'float32' as const };
  });
  return buildManifestTensors({ architecture: '', root: null, seed, expected: {}, tensors: rows });
}

/** Writes a checkpoint of the network, in the element type that it has. */
export function writeSmallNetwork(file: string, network: SmallNetwork, format: CheckpointFormat): void {
  const { dtype } = network;
  const tensors = smallTensors(network);
  if (dtype !== 'float64') {
    writeCheckpoint(file, tensors, { format, floats: dtype });
    return;
  }
  const wide = [...tensors].map(([name, { shape, data }]): [string, TensorData] => {
    return [name, { shape, dtype, data: Float64Array.from(data as Float32Array) }];
  });
  writeCheckpoint(file, new Map(wide), { format });
}
