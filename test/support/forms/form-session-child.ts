/**
 * Run by a test: onnxruntime-node does not run inside Jest. Graphs in forms that fail, each in its own way, and pictures of the
 * package's own kind of network in such forms; prints a FormSessionsSeen.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { checkedTensorGraph } from '../../../app/architectures/tensor-graph.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { evenTiles } from '../../../app/imaging/tiling.ts';
import type { Tensor } from '../../../app/inference/session.ts';
import { convolve } from '../../../app/onnx/convolution.ts';
import type { DeclaredGraph } from '../../../app/onnx/graph.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import type { ProtoGraph, ProtoNode } from '../../../app/onnx/model-proto.ts';
import { serializeModel } from '../../../app/onnx/model-proto.ts';
import { checkpointSessions } from '../../../app/processing/networks/checkpoint-sessions.ts';
import { FormSession } from '../../../app/processing/networks/forms/form-session.ts';
import type { GraphForm, GraphForms } from '../../../app/processing/networks/forms/graph-forms.ts';
import { formsOn, PLAIN } from '../../../app/processing/networks/forms/graph-forms.ts';
import type { Rehearsal } from '../../../app/processing/networks/forms/rehearsal.ts';
import { rehearse } from '../../../app/processing/networks/forms/rehearsal.ts';
import { NetworkRunner } from '../../../app/processing/networks/network-runner.ts';
import { NetworkSession } from '../../../app/processing/networks/network-session.ts';
import { openNetwork } from '../../../app/processing/networks/open-network.ts';
import { FP32 } from '../../../app/processing/networks/precision.ts';
import { proceduralScene } from '../../../app/processing/int8/scene.ts';
import { CHANNELS_LAST_PROBE } from '../../../app/rewriting/channels-last-probe.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { plainConvolutions } from './plain-convolutions.ts';
import { smallNetwork, writeSmallNetwork } from '../networks/small-networks.ts';

/** What a session answered, or what it threw; and what it said of its form. */
export interface FormSeen {
  readonly output?: readonly number[];
  readonly error?: string;
  readonly warnings: readonly string[];
}

export interface FormsSeen {
  readonly count: number;
  readonly reason?: string;
  /** What came of the doubt about the first; missing where there is none. */
  readonly doubt?: string;
}

export interface FormSessionsSeen {
  readonly sessions: Readonly<Record<'plain' | 'unloadable' | 'failing' | 'starving' | 'hopeless', FormSeen>>;
  /** Of a picture in several tiles: in the plain form, and where the first form fails. */
  readonly tiles: Readonly<Record<'plain' | 'failing', FormSeen>>;
  /** Of the networks of faces and colours. */
  readonly bare: Readonly<Record<'plain' | 'failing', FormSeen>>;
  /** Whether convolutions are taken to be with channels last: the stand-ins for them, two that are mistaken, and none at all. */
  readonly probes: Readonly<Record<'right' | 'swapped' | 'mirrored' | 'missing', boolean>>;
  /** Turns that the process had for other things while a device was started and tried. */
  readonly turns: number;
  /** On CUDA, by what is known of it. */
  readonly forms: Readonly<Record<'right' | 'wrong' | 'soonRight' | 'soonWrong', FormsSeen>>;
  /** What happened in turn where the device was started after the session was asked for. */
  readonly order: readonly string[];
  /** Of a first form that makes all numbers negative and is in doubt until it is loaded, or that cannot be loaded. */
  readonly doubts: Readonly<Record<'unfounded' | 'founded' | 'unloadable', FormSeen>>;
}

const [WIDTH, HEIGHT] = [6, 5];
/** In ms: for the session of a small graph. */
const LONG_MS = 200;
/** In values: no machine has as many bytes. */
const TOO_MANY = 2 ** 46;

const unloadable: GraphForm = (graph) => withEnd(graph, { op: 'NoSuchOperator' });
const failing: GraphForm = (graph) => withEnd(graph, { op: 'Reshape', operand: [7] });
const negative: GraphForm = (graph) => withEnd(graph, { op: 'Neg' });
const starving: GraphForm = (graph) => withEnd(graph, { op: 'Expand', operand: [TOO_MANY, 1, 1, 1] });

process.stdout.write(JSON.stringify(await seen()));

async function seen(): Promise<FormSessionsSeen> {
  const folder = await temporaryFolder();
  try {
    const file = join(folder.path, 'network.pth');
    writeSmallNetwork(file, smallNetwork('compact-x2'), 'pth-zip');
    return {
      sessions: {
        plain: await run({ forms: [PLAIN] }),
        unloadable: await run({ forms: [unloadable, PLAIN] }),
        failing: await run({ forms: [failing, unloadable, PLAIN] }),
        starving: await run({ forms: [starving, PLAIN] }),
        hopeless: await run({ forms: [failing, unloadable] }),
      },
      tiles: { plain: await runTiles(file, [PLAIN]), failing: await runTiles(file, [failing, PLAIN]) },
      bare: { plain: await runBare(file, [PLAIN]), failing: await runBare(file, [failing, PLAIN]) },
      ...(await rehearsals()),
      forms: {
        right: await formsSeen({ begun: Promise.resolve(), isRight: Promise.resolve(true) }),
        wrong: await formsSeen({ begun: Promise.resolve(), isRight: Promise.resolve(false) }),
        soonRight: await formsSeen({ begun: setTimeout(1), isRight: setTimeout(2, true) }),
        soonWrong: await formsSeen({ begun: setTimeout(1), isRight: setTimeout(2, false) }),
      },
      order: await orderSeen(),
      doubts: {
        unfounded: await runInDoubt([negative, PLAIN], undefined),
        founded: await runInDoubt([negative, PLAIN], 'it is mistaken'),
        unloadable: await runInDoubt([unloadable, negative, PLAIN], 'it is mistaken'),
      },
    };
  } finally {
    await folder.remove();
  }
}

/** The device is started so long after the graph was laid out that a session which did not wait would be open by then. */
async function orderSeen(): Promise<string[]> {
  const order: string[] = [];
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const made: GraphForm = (graph) => {
    order.push('graph laid out');
    void setTimeout(LONG_MS).then(() => {
      order.push('device begun');
      begin();
    });
    return graph;
  };
  await run({ forms: [made], begun }, () => order.push('session opened'));
  return order;
}

/** Whether the first of the forms may run is told when it is loaded: a load that waited for it would never end. */
async function runInDoubt(forms: readonly GraphForm[], reason: string | undefined): Promise<FormSeen> {
  let tell: (reason: string | undefined) => void = () => undefined;
  const doubt = new Promise<string | undefined>((resolve) => {
    tell = resolve;
  });
  return run({ forms, doubt }, () => tell(reason));
}

/** A picture through a convolution, twice. */
async function run(forms: GraphForms, onLoaded: () => void = () => undefined): Promise<FormSeen> {
  const graph = new Graph();
  const picture = graph.input('input', 'float32', [1, 2, null, null]);
  const weight = graph.constant([1, 2, 3, 4], [2, 2, 1, 1]);
  graph.output('output', convolve(picture, { weight }).relu());
  const length = 2 * WIDTH * HEIGHT;
  const input = tensorOf([1, 2, HEIGHT, WIDTH], length);
  try {
    const session = await FormSession.open(graph.contents(), forms, { weightsFolder: tmpdir(), device: 'cpu' });
    onLoaded();
    return await answerOf(session, { input }, () => (session.warning === undefined ? [] : [session.warning]));
  } catch (error) {
    return { error: inWords(error), warnings: [] };
  }
}

async function answerOf(
  session: Pick<FormSession, 'run'>,
  inputs: Readonly<Record<string, Tensor>>,
  warnings: () => readonly string[],
): Promise<FormSeen> {
  await session.run(inputs);
  const { output } = await session.run(inputs);
  return { output: [...(output?.data as Float32Array)], warnings: warnings() };
}

async function runTiles(file: string, forms: readonly GraphForm[]): Promise<FormSeen> {
  const network = openNetwork(file);
  const open = checkpointSessions(network, {
    weightsFolder: join(file, '..'),
    precisionFor: () => FP32,
    forms: () => Promise.resolve({ forms }),
  });
  const runner = new NetworkRunner(network, { open, devices: ['cpu'], isBatch: true });
  const image = proceduralScene(1, 24);
  const tiles = evenTiles(image.width, image.height, { core: 12, halo: 4, multipleOf: 1 });
  const rows: number[] = [];
  const sink = {
    width: 2 * image.width,
    height: 2 * image.height,
    channels: image.channels,
    depth: image.depth,
    writeRows: (made: ArrayLike<number>) => void rows.push(...Array.from(made)),
  };
  await runner.run(rowsOf(image), sink, { tiles, isOpaque: false }, () => undefined);
  const { warnings } = runner;
  await runner.close();
  return { output: rows, warnings };
}

async function runBare(file: string, forms: readonly GraphForm[]): Promise<FormSeen> {
  const session = await NetworkSession.open({
    file,
    build: (network) => checkedTensorGraph(network, [1, 3, HEIGHT, WIDTH]),
    devices: ['cpu'],
    forms: () => Promise.resolve({ forms }),
  });
  const input = tensorOf([1, 3, HEIGHT, WIDTH], 3 * HEIGHT * WIDTH);
  const answer = await answerOf(session, { input }, () => session.warnings);
  await session.close();
  return answer;
}

async function rehearsals(): Promise<Pick<FormSessionsSeen, 'probes' | 'turns'>> {
  const probe = CHANNELS_LAST_PROBE.graph();
  const right = plainConvolutions(probe);
  const otherwise = (change: (node: ProtoNode) => ProtoNode): ProtoGraph => {
    return { ...right, nodes: right.nodes.map(change) };
  };
  /** Width for height. */
  const swapped = otherwise((node) => {
    const perm = node.attributes['perm'] as readonly number[] | undefined;
    if (!perm) return node;
    return { ...node, attributes: { perm: perm.join() === '0,2,3,1' ? [0, 3, 2, 1] : perm } };
  });
  /** Padded on one side alone. */
  const mirrored = otherwise((node) =>
    node.op === 'Conv' ? { ...node, attributes: { ...node.attributes, pads: [2, 0, 0, 2] } } : node,
  );
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const probes = await verdicts({ right, swapped, mirrored, missing: probe });
  clearInterval(turning);
  return { probes, turns };
}

/** Of rehearsals on the CPU, one after another; each has begun, or failed to, before it has ended. */
async function verdicts<K extends string>(graphs: Readonly<Record<K, ProtoGraph>>): Promise<Record<K, boolean>> {
  const told: [string, boolean][] = [];
  for (const [name, graph] of Object.entries<ProtoGraph>(graphs)) {
    const { begun, isRight } = rehearse('cpu', serializeModel(graph));
    await begun;
    told.push([name, await isRight]);
  }
  return Object.fromEntries(told) as Record<K, boolean>;
}

/** The graph with another node in front of each of its outputs of numbers. */
function withEnd(graph: DeclaredGraph, { op, operand }: { op: string; operand?: readonly number[] }): ProtoGraph {
  const names = new Set(graph.outputs.filter(({ type }) => type !== 'int32').map(({ name }) => name));
  const constant = { name: 'end_operand', type: 'int64', shape: [operand?.length ?? 0] } as const;
  const data = new Uint8Array(BigInt64Array.from(operand ?? [], BigInt).buffer);
  return {
    ...graph,
    initializers: [...graph.initializers, { ...constant, data }],
    nodes: graph.nodes.flatMap((node) => {
      const [output = ''] = node.outputs;
      if (!names.has(output)) return [node];
      const inputs = [`early_${output}`, ...(operand ? [constant.name] : [])];
      const end = { op, domain: '', inputs, outputs: [output], attributes: {} };
      return [{ ...node, outputs: [`early_${output}`] }, end];
    }),
  };
}

function tensorOf(dims: readonly number[], length: number): Tensor {
  return { type: 'float32', data: Float32Array.from({ length }, (_, i) => (i % 7) / 7), dims };
}

async function formsSeen(rehearsal: Rehearsal): Promise<FormsSeen> {
  const { forms, reason, doubt } = await formsOn('cuda', () => rehearsal);
  return {
    count: forms.length,
    ...(reason !== undefined && { reason }),
    ...(doubt && { doubt: (await doubt) ?? 'unfounded' }),
  };
}

function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
