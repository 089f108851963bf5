import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { Image } from '../../imaging/image.ts';
import type { Tensor } from '../../inference/session.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import type { DenseBlock } from '../../quantization/dense-block.ts';
import { denseBlocksOf } from '../../quantization/int8-graph.ts';
import { Moments } from '../../quantization/moments.ts';
import { Ranges } from '../../quantization/ranges.ts';
import {
  highOf,
  lowOf,
  productsOf,
  summedPixels,
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
  readonly meter: (stage: 'calibrating' | 'measuring', index: number) => void;
}

/** What float32 makes of crops inside its dense blocks. */
export interface Watched {
  readonly blocks: readonly DenseBlock[];
  readonly ranges: Ranges;
  /** Of what the blocks' convolutions read, by block. */
  readonly moments: readonly Moments[];
}

/** Runs crops through the network in float32 and keeps what its dense blocks' values were. */
export async function watchedRuns(
  network: RecognisedNetwork,
  crops: readonly Image[],
  { weightsFolder, meter }: CropRuns,
): Promise<Watched> {
  const graph = buildImageGraph(network, CROP);
  const blocks = denseBlocksOf(graph);
  const model = serializeModel(watchedGraph(graph.contents(), blocks));
  const session = await Session.open(model, { weightsFolder, device: 'cpu' });
  const ranges = new Ranges();
  const moments = blocks.map(({ last }) => new Moments(last.weight.shape[1] ?? 0));
  for (const [index, crop] of crops.entries()) {
    const outputs = await runCrop(session, crop);
    const floats = (name: string): Float32Array => outputs[name]?.data as Float32Array;
    for (const value of blocks.flatMap(watchedValues)) {
      ranges.add(value, { low: floats(lowOf(value)), high: floats(highOf(value)) });
    }
    const count = summedPixels(crop.width, crop.height);
    blocks.forEach(({ last: { input } }, at) => {
      moments[at]?.add({ count, values: floats(valuesOf(input)), products: floats(productsOf(input)) });
    });
    meter('calibrating', index);
  }
  await session.release();
  return { blocks, ranges, moments };
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
