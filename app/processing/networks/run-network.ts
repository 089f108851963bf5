import type { StateDict } from '../../checkpoints/state-dict.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { readTensor } from '../../checkpoints/read-tensor.ts';
import type { TensorData } from '../../checkpoints/safetensors-writer.ts';
import { writeSafetensors } from '../../checkpoints/safetensors-writer.ts';
import { buildTensorGraph } from '../../architectures/tensor-graph.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { Tensor } from '../../inference/session.ts';
import { Session, weightsFolderOf } from '../../inference/session.ts';
import { BadParameterError } from '../errors.ts';
import { openNetwork } from './open-network.ts';
import { targetOf } from './forms/graph-forms.ts';

/** Files of `hiresfix models run`. */
export interface RunNetworkFiles {
  readonly checkpoint: string;
  /**
   * A `.safetensors` with `input`: float32 [N, C, H, W] in the range the reference network takes. One-element tensors named
   * as the network's scalars (`w`) set them.
   */
  readonly input: string;
  /** A `.safetensors` that is written: float32 `output`, not clipped, or the tensors that the network names. */
  readonly output: string;
}

/** Feeds one tensor to the bare network of a checkpoint and writes what it answers: how conformance is measured. */
export async function runNetwork(files: RunNetworkFiles, device: SessionDevice): Promise<void> {
  const network = openNetwork(files.checkpoint);
  const inputs = openCheckpoint(files.input);
  const shape = inputs.tensors.get('input')?.shape ?? [];
  if (!isImageBatch(shape) || shape[1] !== network.inputChannels) {
    throw new BadParameterError(
      `${files.input}: expected a tensor 'input' of shape [N, ${network.inputChannels}, H, W], got [${shape.join(', ')}]`,
    );
  }
  const weightsFolder = weightsFolderOf(files.checkpoint);
  const session = await Session.open(buildTensorGraph(network, shape, targetOf(device)), { weightsFolder, device });
  const image = { type: 'float32', data: readTensor(inputs, 'input'), dims: shape } as const;
  const scalars = Object.entries(network.scalars ?? {}).map(([name, preset]) => [name, scalar(inputs, name, preset)]);
  const outputs = await session.run({ input: image, ...(Object.fromEntries(scalars) as Record<string, Tensor>) });
  await session.release();
  const named = Object.entries(outputs).map(([name, { type, data, dims }]): [string, TensorData] => {
    if (type === 'uint16') throw new BadParameterError(`${name}: safetensors has no uint16`);
    return [name, { shape: dims, dtype: type, data }];
  });
  writeSafetensors(files.output, new Map(named));
}

/** The one-element tensor `name` of the input file, or what the network takes without. */
function scalar(inputs: StateDict, name: string, preset: number): Tensor {
  const data = inputs.tensors.has(name) ? readTensor(inputs, name) : Float32Array.of(preset);
  if (data.length !== 1)
    throw new BadParameterError(`${inputs.file}: expected one number in '${name}', got ${data.length}`);
  return { type: 'float32', data, dims: [1] };
}

function isImageBatch(shape: readonly number[]): shape is readonly [number, number, number, number] {
  return shape.length === 4 && shape.every((size) => size > 0);
}
