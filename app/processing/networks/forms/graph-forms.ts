import type { SessionDevice } from '../../../inference/devices.ts';
import type { DeclaredGraph, GraphTarget } from '../../../onnx/graph.ts';
import type { ProtoGraph } from '../../../onnx/model-proto.ts';
import { channelsLastGraph } from '../../../rewriting/channels-last.ts';
import { scanGraph } from '../../../rewriting/scan-graph.ts';
import { rehearsalOn } from './rehearsal.ts';

/** A graph laid out in another way; it calculates the same. */
export type GraphForm = (graph: DeclaredGraph) => ProtoGraph;

/** Forms to try in turn, the fastest first; the last is the plain one. */
export interface GraphForms {
  readonly forms: readonly GraphForm[];
  /** Why a faster one is not among them. */
  readonly reason?: string;
  /** When sessions may be opened, where the device is still being started. */
  readonly begun?: Promise<void>;
  /** Where it is still being found out whether the first may run: why not, or undefined where it may. */
  readonly doubt?: Promise<string | undefined>;
}

/** Which forms of operations suit a device. */
export function targetOf(device: SessionDevice): GraphTarget {
  return device === 'cpu' ? 'cpu' : 'gpu';
}

/** The graph as it was built, which runs everywhere. */
export const PLAIN: GraphForm = (graph) => graph;

/** Alike blocks as one body, alike parts of a block too; pictures with channels last. */
const FASTEST: GraphForm = (graph) => scanGraph(channelsLastGraph(graph));

/** Where that fails: loops alone, and none within another. */
const LOOPS: GraphForm = (graph) => scanGraph(graph, Infinity);

/**
 * The forms for a device. CUDA plans each convolution by itself, and its own kernels have channels last; whether they
 * calculate what they are taken to may still be in doubt.
 */
export async function formsOn(device: SessionDevice, rehearsal = rehearsalOn): Promise<GraphForms> {
  if (device !== 'cuda') return { forms: [PLAIN] };
  const { begun, isRight } = rehearsal(device);
  const reason = `this version of the runtime does not convolve with channels last on ${device} as it is expected to`;
  const known = await Promise.race([isRight, Promise.resolve(undefined)]);
  if (known === false) return { forms: [LOOPS, PLAIN], reason };
  const forms = [FASTEST, LOOPS, PLAIN];
  if (known === true) return { forms };
  return { forms, begun, doubt: isRight.then((isIt) => (isIt ? undefined : reason)) };
}
