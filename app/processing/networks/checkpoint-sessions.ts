import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import { halfGraph } from '../../quantization/half-graph.ts';
import { int8Graph } from '../../quantization/int8-graph.ts';
import type { RunnerOptions, SessionKey } from './network-runner.ts';
import type { PrecisionPlan } from './precision.ts';
import { precisionOn } from './precision.ts';

/**
 * Opens sessions of a checkpoint's network, in the numbers that are asked for.
 * @param weightsFolder the folder of the checkpoint, links resolved
 */
export function checkpointSessions(
  network: RecognisedNetwork,
  { weightsFolder, precision }: { readonly weightsFolder: string; readonly precision: PrecisionPlan },
): RunnerOptions['open'] {
  return (key, device) => Session.open(modelFor(network, key, device, precision), { weightsFolder, device });
}

function modelFor(
  network: RecognisedNetwork,
  key: SessionKey,
  device: SessionDevice,
  precision: PrecisionPlan,
): Uint8Array {
  const graph = buildImageGraph(network, key);
  const used = precisionOn(device, precision);
  if (used === 'fp16') return serializeModel(halfGraph(graph));
  if (used === 'int8' && precision.int8) return serializeModel(int8Graph(graph, precision.int8));
  return graph.serialize();
}
