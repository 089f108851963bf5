/**
 * One network in one form and with one setting: `choice-child.ts CHECKPOINT DEVICE SIDE CHOICE`, of which the last is JSON. Prints one line of
 * JSON: milliseconds to load, after the device has been started by another session, of the first run and of later ones.
 */
import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import { buildImageGraph } from '../../../app/architectures/image-graph.ts';
import type { SessionDevice } from '../../../app/inference/devices.ts';
import { PROVIDERS } from '../../../app/inference/devices.ts';
import { weightsFolderOf } from '../../../app/inference/session.ts';
import type { DeclaredGraph } from '../../../app/onnx/graph.ts';
import type { ProtoGraph } from '../../../app/onnx/model-proto.ts';
import { serializeModel } from '../../../app/onnx/model-proto.ts';
import { rehearse } from '../../../app/processing/networks/forms/rehearsal.ts';
import { openNetwork } from '../../../app/processing/networks/open-network.ts';
import { halfGraph } from '../../../app/rewriting/half-graph.ts';
import { channelsLastGraph } from '../../../app/rewriting/channels-last.ts';
import { scanGraph } from '../../../app/rewriting/scan-graph.ts';
import { median } from '../../support/median.ts';
import { noisePixels } from './levels.ts';
import type { Times } from './measuring.ts';

export interface Choice {
  readonly form: keyof typeof FORMS;
  /** In the place of what `Session` sets. */
  readonly session: InferenceSession.SessionOptions;
  readonly environment: Readonly<Record<string, string>>;
}

const FORMS = {
  plain: (graph: DeclaredGraph): ProtoGraph => graph,
  loops: (graph: DeclaredGraph): ProtoGraph => scanGraph(graph),
  last: channelsLastGraph,
  outer: (graph: DeclaredGraph): ProtoGraph => scanGraph(channelsLastGraph(graph), Infinity),
  fastest: (graph: DeclaredGraph): ProtoGraph => scanGraph(channelsLastGraph(graph)),
};
const RUNS = 9;

const [checkpoint = '', device = 'cuda', side = '512', asked = ''] = process.argv.slice(2);
const choice = JSON.parse(asked) as Choice;
Object.assign(process.env, choice.environment); // before the device's libraries are loaded
await rehearse(device as SessionDevice).isRight;
const { InferenceSession: Runtime, Tensor } = await import('onnxruntime-node');

const start = performance.now();
const model = modelOf(choice);
const session = await Runtime.create(model, optionsOf(choice));
const load = performance.now() - start;
const { data, dims } = noisePixels(Number(side));
const times: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const before = performance.now();
  const { pixels_out: output } = await session.run({ pixels: new Tensor('uint8', data as Uint8Array, dims) });
  await output?.getData();
  times.push(performance.now() - before);
}
const [first = 0, ...later] = times;
process.stdout.write(`${JSON.stringify({ load, first, later: median(later) } satisfies Times)}\n`);

function modelOf({ form }: Choice): Uint8Array {
  const length = Number(side);
  const shape = { channels: 3, depth: 8, width: length, height: length, isOpaque: true } as const;
  return serializeModel(FORMS[form](halfGraph(buildImageGraph(openNetwork(checkpoint), shape, 'gpu'))));
}

/** As `Session` opens it, but for what is chosen. */
function optionsOf({ session: { extra, ...chosen } }: Choice): InferenceSession.SessionOptions {
  const own = (extra as { readonly session?: Readonly<Record<string, string>> } | undefined)?.session;
  return {
    executionProviders: [PROVIDERS[device as SessionDevice]],
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 4,
    extra: { session: { model_external_initializers_file_folder_path: weightsFolderOf(checkpoint), ...own } },
    ...chosen,
  };
}
