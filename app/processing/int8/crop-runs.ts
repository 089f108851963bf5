import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { Image } from '../../imaging/image.ts';
import type { Tensor } from '../../inference/session.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import type { EnlargingHead } from '../../quantization/enlarging-head.ts';
import { convsOfHead, valuesRead } from '../../quantization/enlarging-head.ts';
import type { SeenHead } from '../../quantization/head-recipe.ts';
import type { Int8Parts } from '../../quantization/int8-graph.ts';
import { int8PartsOf } from '../../quantization/int8-graph.ts';
import type { PixelMeans } from '../../quantization/moments.ts';
import { Moments } from '../../quantization/moments.ts';
import { Ranges } from '../../quantization/ranges.ts';
import {
  highOf,
  lowOf,
  productsOf,
  sampleOf,
  valuesOf,
  watchedGraph,
  watchedValues,
} from '../../quantization/watched-graph.ts';
import { damagedAnswer } from '../networks/damaged-answer.ts';

/** The pixels of crops, as a graph takes them. */
export const CROP = { width: null, height: null, channels: 3, depth: 8 } as const;

/** How crops are run. */
export interface CropRuns {
  readonly weightsFolder: string;
  /** Told of every finished run. */
  readonly meter: (stage: 'calibrating' | 'measuring') => void;
}

/** What float32 makes of crops inside its dense blocks. */
export interface Watched {
  readonly parts: Int8Parts;
  readonly ranges: Ranges;
  /** Of what the blocks' convolutions read, by block. */
  readonly moments: readonly Moments[];
  /** What was seen of the head, where there is one. */
  readonly head?: SeenHead | undefined;
}

/** Runs crops through the network in float32 and keeps what the values of its dense blocks and of its head were. */
export async function watchedRuns(
  network: RecognisedNetwork,
  crops: readonly Image[],
  { weightsFolder, meter }: CropRuns,
): Promise<Watched> {
  const graph = buildImageGraph(network, CROP);
  const parts = int8PartsOf(graph);
  const { blocks, head } = parts;
  const [samples, headMoments] = [new Map<string, Float32Array[]>(), momentsOfHead(head)];
  const sampled = head ? [head.input, ...head.convs.map(({ output }) => output)] : [];
  const model = serializeModel(watchedGraph(graph.contents(), blocks, { sampled, averaged: [...headMoments.keys()] }));
  const session = await Session.open(model, { weightsFolder, device: 'cpu' });
  const ranges = new Ranges();
  const moments = blocks.map(({ last }) => new Moments(last.weight.shape[1] ?? 0));
  for (const crop of crops) {
    const outputs = await runCrop(session, crop);
    const floats = (name: string): Float32Array => outputs[name]?.data as Float32Array;
    for (const value of blocks.flatMap(watchedValues)) {
      ranges.add(value, { low: floats(lowOf(value)), high: floats(highOf(value)) });
    }
    const meansOf = (value: string): PixelMeans => {
      return { values: floats(valuesOf(value)), products: floats(productsOf(value)) };
    };
    blocks.forEach(({ last: { input } }, at) => moments[at]?.add(meansOf(input)));
    for (const [value, own] of headMoments) own.add(meansOf(value));
    for (const value of sampled) samples.set(value, joined(samples.get(value), outputs[sampleOf(value)]));
    meter('calibrating');
  }
  await session.release();
  return { parts, ranges, moments, head: head && { head, samples, moments: headMoments } };
}

function momentsOfHead(head: EnlargingHead | undefined): Map<string, Moments> {
  if (!head) return new Map();
  const convs = convsOfHead(head);
  return new Map(valuesRead(head).map((value, index) => [value, new Moments(convs[index]?.weight.shape[1] ?? 0)]));
}

/** Channels with those of another picture behind what they have. @param tensor [1, C, H, W] */
function joined(channels: readonly Float32Array[] | undefined, tensor: Tensor | undefined): Float32Array[] {
  const [, count = 0, height = 0, width = 0] = tensor?.dims ?? [];
  const size = height * width;
  return Array.from({ length: count }, (_, channel) => {
    const [before, data] = [channels?.[channel] ?? new Float32Array(), tensor?.data as Float32Array];
    const both = new Float32Array(before.length + size);
    both.set(before);
    both.set(data.subarray(channel * size, (channel + 1) * size), before.length);
    return both;
  });
}

/** The picture that a session of pixels makes of a crop. */
export async function pictureOf(session: Session, crop: Image): Promise<Image> {
  const pixels = (await runCrop(session, crop))['pixels_out'];
  const [height = 0, width = 0] = pixels?.dims ?? [];
  return { width, height, channels: 3, depth: 8, data: pixels?.data as Uint8Array };
}

async function runCrop(session: Session, { width, height, data }: Image): Promise<Readonly<Record<string, Tensor>>> {
  const outputs = await session.run({ pixels: { type: 'uint8', data: data, dims: [height, width, 3] } });
  if (outputs['has_nan']?.data[0] === 0) return outputs;
  throw damagedAnswer({ architecture: 'the network', device: session.device });
}
