import { openCheckpoint } from '../checkpoints/open-checkpoint.ts';
import { shownName } from '../checkpoints/errors.ts';
import type { CheckpointFormat, StateDict } from '../checkpoints/state-dict.ts';
import { elementCount } from '../checkpoints/tensor-layout.ts';
import type { Network } from './architecture.ts';
import { assertBuilds } from './assert-builds.ts';
import { recognise } from './registry.ts';

/** What `hiresfix models inspect` tells of a checkpoint. Snake case: it is public JSON. */
export interface CheckpointReport {
  readonly architecture: string;
  readonly scale: number;
  readonly input_channels: number;
  readonly output_channels: number | null;
  readonly parameters: Network['parameters'];
  readonly tensors: number;
  readonly parameter_count: number;
  readonly format: CheckpointFormat | 'onnx';
  /** Names of what else the file holds and no network uses (counters, optimizers, other networks); missing where nothing is. */
  readonly left_out?: readonly string[];
}

const MAX_LEFT_OUT = 20;

/**
 * Reads what network a checkpoint holds, and builds its graph as running it would: what is told here can be run, with pictures
 * unless the network is a part of a pipeline, which is built for tensors (`hiresfix models run`).
 * @param checkWeights reads the weights themselves, and throws where they are damaged; by default nothing does
 * @throws CheckpointError, UnknownNetworkError, WeightsError
 */
export function inspectCheckpoint(
  file: string,
  checkWeights: (dict: StateDict) => void = () => undefined,
): CheckpointReport {
  const dict = openCheckpoint(file);
  const network = recognise(dict);
  checkWeights(dict);
  assertBuilds(network);
  const leftOut = [...dict.leftOut, ...network.weights.unreadCounters()];
  const counts = [...dict.tensors.values()].map(({ shape }) => elementCount(shape));
  return {
    architecture: network.architecture,
    scale: network.scale,
    input_channels: network.inputChannels,
    output_channels: network.outputChannels,
    parameters: network.parameters,
    tensors: dict.tensors.size,
    parameter_count: counts.reduce((a, b) => a + b, 0),
    format: dict.format,
    ...(leftOut.length > 0 && { left_out: shown(leftOut) }),
  };
}

function shown(names: readonly string[]): string[] {
  const few = names.slice(0, MAX_LEFT_OUT).map(shownName);
  return names.length > few.length ? [...few, `and ${names.length - few.length} more`] : few;
}
