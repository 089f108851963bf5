import { openCheckpoint } from '../checkpoints/open-checkpoint.ts';
import { readTensor } from '../checkpoints/read-tensor.ts';
import type { TensorData } from '../checkpoints/safetensors-writer.ts';
import { writeSafetensors } from '../checkpoints/safetensors-writer.ts';
import { recognise } from '../architectures/registry.ts';
import { buildTensorGraph } from '../architectures/tensor-graph.ts';
import type { SessionDevice } from '../inference/devices.ts';
import { Session, weightsFolderOf } from '../inference/session.ts';
import { BadParameterError } from './errors.ts';

/** Files of `hiresfix models run`. */
export interface RunNetworkFiles {
  readonly checkpoint: string;
  /** A `.safetensors` with `input`: float32 [N, C, H, W] in the range the reference network takes. */
  readonly input: string;
  /** A `.safetensors` that is written: float32 `output`, not clipped. */
  readonly output: string;
}

/** Feeds one tensor to the bare network of a checkpoint and writes what it answers: how conformance is measured. */
export async function runNetwork(files: RunNetworkFiles, device: SessionDevice): Promise<void> {
  const network = recognise(openCheckpoint(files.checkpoint));
  const inputs = openCheckpoint(files.input);
  const shape = inputs.tensors.get('input')?.shape ?? [];
  if (!isImageBatch(shape) || shape[1] !== network.inputChannels) {
    throw new BadParameterError(
      `${files.input}: expected a tensor 'input' of shape [N, ${network.inputChannels}, H, W], got [${shape.join(', ')}]`,
    );
  }
  const weightsFolder = weightsFolderOf(files.checkpoint);
  const session = await Session.open(buildTensorGraph(network, shape), { weightsFolder, device });
  const feed = { type: 'float32', data: readTensor(inputs, 'input'), dims: shape } as const;
  const outputs = await session.run({ input: feed });
  const named = Object.entries(outputs).map(([name, { type, data, dims }]): [string, TensorData] => {
    if (type === 'uint16') throw new BadParameterError(`${name}: safetensors has no uint16`);
    return [name, { shape: dims, dtype: type, data }];
  });
  writeSafetensors(files.output, new Map(named));
}

function isImageBatch(shape: readonly number[]): shape is readonly [number, number, number, number] {
  return shape.length === 4 && shape.every((size) => size > 0);
}
