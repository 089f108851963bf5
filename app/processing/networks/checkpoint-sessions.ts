import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import { halfGraph } from '../../rewriting/half-graph.ts';
import { int8Graph } from '../../quantization/int8-graph.ts';
import { FormSession } from './forms/form-session.ts';
import { formsOn, targetOf } from './forms/graph-forms.ts';
import type { RunnerOptions } from './network-runner.ts';
import type { PrecisionPlan } from './precision.ts';
import { precisionOn } from './precision.ts';

/** Where a network's weights are, and how it is to run. */
export interface CheckpointSessionOptions {
  /** The folder of the checkpoint, links resolved. */
  readonly weightsFolder: string;
  readonly precisionFor: (device: SessionDevice) => PrecisionPlan | Promise<PrecisionPlan>;
  /** How graphs may be laid out on a device; by default as is best there. */
  readonly forms?: typeof formsOn;
}

/** Opens sessions of a checkpoint's network, in the numbers that are asked for. */
export function checkpointSessions(
  network: RecognisedNetwork,
  { weightsFolder, precisionFor, forms = formsOn }: CheckpointSessionOptions,
): RunnerOptions['open'] {
  return async (key, device) => {
    const precision = await precisionFor(device);
    const graph = buildImageGraph(network, key, targetOf(device));
    const used = precisionOn(device, { ...precision, isWidened: key.isWidened });
    const options = { weightsFolder, device };
    if (used === 'int8' && precision.int8) {
      return Session.open(serializeModel(int8Graph(graph, precision.int8)), options);
    }
    return FormSession.open(used === 'fp16' ? halfGraph(graph) : graph.contents(), await forms(device), options);
  };
}
