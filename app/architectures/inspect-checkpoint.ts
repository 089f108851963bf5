import { openCheckpoint } from '../checkpoints/open-checkpoint.ts';
import type { CheckpointFormat } from '../checkpoints/state-dict.ts';
import type { Network } from './architecture.ts';
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
  readonly format: CheckpointFormat;
}

/** Reads what network a checkpoint holds. @throws CheckpointError, UnknownNetworkError, WeightsError */
export function inspectCheckpoint(file: string): CheckpointReport {
  const dict = openCheckpoint(file);
  const network = recognise(dict);
  const counts = [...dict.tensors.values()].map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  return {
    architecture: network.architecture,
    scale: network.scale,
    input_channels: network.inputChannels,
    output_channels: network.outputChannels,
    parameters: network.parameters,
    tensors: dict.tensors.size,
    parameter_count: counts.reduce((a, b) => a + b, 0),
    format: dict.format,
  };
}
