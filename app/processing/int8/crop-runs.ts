import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { damagedAnswer } from '../networks/damaged-answer.ts';
import type { Tensor } from '../../inference/session.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import type { DenseBlock } from '../../quantization/dense-block.ts';
import { denseBlocksOf, int8Graph } from '../../quantization/int8-graph.ts';
import type { Int8Tensors } from '../../quantization/int8-model.ts';
import { numbersInMemory } from '../../quantization/int8-model.ts';
import { Ranges } from '../../quantization/ranges.ts';
import { highOf, lowOf, watchedGraph, watchedValues } from '../../quantization/watched-graph.ts';
import type { CalibrationCrops, Crop } from './calibration-crops.ts';
import { CROP_SIDE } from './calibration-crops.ts';

/** The pixels of a crop, as a graph takes them. */
export const CROP = { width: CROP_SIDE, height: CROP_SIDE, channels: 3, depth: 8 } as const;

/** How crops are run. */
export interface CropRuns {
  readonly weightsFolder: string;
  /** Told of every finished run. */
  readonly meter: (stage: 'calibrating' | 'measuring', index: number) => void;
}

/** Float32: the ranges of the crops that calibrate, and the pictures of those that measure. */
export async function watchedRuns(
  network: RecognisedNetwork,
  { calibrating, measuring }: Pick<CalibrationCrops, 'calibrating' | 'measuring'>,
  { weightsFolder, meter }: CropRuns,
): Promise<{ blocks: readonly DenseBlock[]; ranges: Ranges; pictures: readonly Uint8Array[] }> {
  const graph = buildImageGraph(network, CROP);
  const blocks = denseBlocksOf(graph);
  const model = serializeModel(watchedGraph(graph.contents(), blocks));
  const session = await Session.open(model, { weightsFolder, device: 'cpu' });
  const ranges = new Ranges();
  for (const [index, crop] of calibrating.entries()) {
    const outputs = await runCrop(session, crop);
    for (const value of blocks.flatMap(watchedValues)) {
      const [low, high] = [outputs[lowOf(value)]?.data, outputs[highOf(value)]?.data];
      ranges.add(value, { low: low as Float32Array, high: high as Float32Array });
    }
    meter('calibrating', index);
  }
  const pictures: Uint8Array[] = [];
  for (const [index, crop] of measuring.entries()) {
    pictures.push((await runCrop(session, crop))['pixels_out']?.data as Uint8Array);
    meter('measuring', index);
  }
  await session.release();
  return { blocks, ranges, pictures };
}

/** The pictures that an int8 form makes of crops. */
export async function int8Runs(
  network: RecognisedNetwork,
  tensors: Int8Tensors,
  crops: readonly Crop[],
  { weightsFolder, meter }: CropRuns,
): Promise<readonly Uint8Array[]> {
  const model = serializeModel(int8Graph(buildImageGraph(network, CROP), numbersInMemory(tensors)));
  const session = await Session.open(model, { weightsFolder, device: 'cpu' });
  const pictures: Uint8Array[] = [];
  for (const [index, crop] of crops.entries()) {
    pictures.push((await runCrop(session, crop))['pixels_out']?.data as Uint8Array);
    meter('measuring', index);
  }
  await session.release();
  return pictures;
}

async function runCrop(session: Session, crop: Crop): Promise<Readonly<Record<string, Tensor>>> {
  const outputs = await session.run({ pixels: { type: 'uint8', data: crop, dims: [CROP_SIDE, CROP_SIDE, 3] } });
  if (outputs['has_nan']?.data[0] === 0) return outputs;
  throw damagedAnswer({ architecture: 'the network', device: session.device });
}
