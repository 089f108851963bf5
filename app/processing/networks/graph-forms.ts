import { tmpdir } from 'node:os';
import type { SessionDevice } from '../../inference/devices.ts';
import { Session } from '../../inference/session.ts';
import type { DeclaredGraph } from '../../onnx/graph.ts';
import type { ProtoGraph } from '../../onnx/model-proto.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import { CHANNELS_LAST_PROBE } from '../../rewriting/channels-last-probe.ts';
import { channelsLastGraph } from '../../rewriting/channels-last.ts';
import { scanGraph } from '../../rewriting/scan-graph.ts';

/** A graph laid out in another way; it calculates the same. */
export type GraphForm = (graph: DeclaredGraph) => ProtoGraph;

/** Forms to try in turn, the fastest first; the last is the plain one. */
export interface GraphForms {
  readonly forms: readonly GraphForm[];
  /** Why a faster one is not among them. */
  readonly reason?: string;
}

export const PLAIN: GraphForm = (graph) => graph;

/** Alike blocks as one body, pictures with channels last. */
const FASTEST: GraphForm = (graph) => scanGraph(channelsLastGraph(graph));

/** The forms for a device. CUDA searches the best algorithm for each convolution, and its own kernels have channels last. */
export async function formsOn(device: SessionDevice, runsLast = runsChannelsLast): Promise<GraphForms> {
  if (device !== 'cuda') return { forms: [PLAIN] };
  if (await runsLast(device)) return { forms: [FASTEST, scanGraph, PLAIN] };
  return {
    forms: [scanGraph, PLAIN],
    reason: `this version of the runtime does not convolve with channels last on ${device} as it is expected to`,
  };
}

const checked = new Map<SessionDevice, Promise<boolean>>();

/** Whether a device convolves with channels last as it is expected to; tried once in a process. */
function runsChannelsLast(device: SessionDevice): Promise<boolean> {
  const known = checked.get(device) ?? convolvesChannelsLast(device);
  checked.set(device, known);
  return known;
}

/**
 * Whether a device runs the convolutions of the internal domain, and they calculate what they are taken to.
 * @param graph what is run: the probe's
 */
export async function convolvesChannelsLast(device: SessionDevice, graph?: ProtoGraph): Promise<boolean> {
  const { inputs, isRight } = CHANNELS_LAST_PROBE;
  try {
    const model = serializeModel(graph ?? CHANNELS_LAST_PROBE.graph());
    const session = await Session.open(model, { weightsFolder: tmpdir(), device });
    const outputs = await session.run(inputs);
    await session.release();
    return isRight(outputs);
  } catch {
    return false; // why the device cannot be had, if it cannot, is told where a network is loaded on it
  }
}
