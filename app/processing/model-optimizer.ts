import type { ModelCatalog } from '../catalog/model-catalog.ts';
import type { Config } from '../config.ts';
import type { RecognisedNetwork } from '../architectures/registry.ts';
import { recognise } from '../architectures/registry.ts';
import { buildImageGraph } from '../architectures/image-graph.ts';
import { openCheckpoint } from '../checkpoints/open-checkpoint.ts';
import { readTensor } from '../checkpoints/read-tensor.ts';
import type { Tensor } from '../inference/session.ts';
import { Session, weightsFolderOf } from '../inference/session.ts';
import { InferenceError } from '../inference/errors.ts';
import { serializeModel } from '../onnx/model-proto.ts';
import type { DenseBlock } from '../quantization/dense-block.ts';
import { Int8RefusedError } from '../quantization/errors.ts';
import { fidelityOf } from '../quantization/fidelity.ts';
import { denseBlocksOf, int8Graph } from '../quantization/int8-graph.ts';
import type { Int8Tensors } from '../quantization/int8-model.ts';
import { int8Tensors, numbersInMemory } from '../quantization/int8-model.ts';
import { Ranges } from '../quantization/ranges.ts';
import { highOf, lowOf, watchedGraph, watchedValues } from '../quantization/watched-graph.ts';
import type { CalibrationCrops, Crop } from './calibration-crops.ts';
import { CROP_SIDE, imageCrops, sceneCrops } from './calibration-crops.ts';
import { assertWritable, saveCalibration } from './int8-calibration.ts';
import type { ProcessorHooks } from './process-images.ts';
import type { OptimizeTask } from './tasks.ts';
import { weightLimit } from './weight-limit.ts';

const SHAPE = { width: CROP_SIDE, height: CROP_SIDE, channels: 3, depth: 8 } as const;

/**
 * Makes the int8 form of a checkpoint's network, measures on other crops how near it comes to float32, and writes both beside the
 * checkpoint, whatever the measurement says: whether it may be used is for its reader to decide.
 */
export class ModelOptimizer {
  readonly #config: Pick<Config, 'maxInputPixels'>;
  readonly #catalog: Pick<ModelCatalog, 'sha256'>;

  constructor(config: Pick<Config, 'maxInputPixels'>, catalog: Pick<ModelCatalog, 'sha256'>) {
    this.#config = config;
    this.#catalog = catalog;
  }

  /**
   * @throws Int8RefusedError for a network whose kind does not gain; CalibrationFolderError; BadParameterError for images that are
   * too small; CheckpointError, UnknownNetworkError
   */
  async optimize(
    { checkpoint, images }: OptimizeTask,
    { onProgress }: Pick<ProcessorHooks, 'onProgress'>,
  ): Promise<void> {
    const dict = openCheckpoint(checkpoint);
    const network = recognise(dict);
    assertQuantizable(network);
    await assertWritable(checkpoint);
    const crops = images.length > 0 ? await imageCrops(images, this.#config.maxInputPixels) : sceneCrops();
    const weightsFolder = weightsFolderOf(checkpoint);
    const meter = progressMeter(crops, onProgress);
    const { blocks, ranges, pictures } = await watchedRuns(network, crops, { weightsFolder, meter });
    const limit = await weightLimit();
    const tensors = int8Tensors(blocks, ranges, { read: (name) => readTensor(dict, name), limit });
    const measured = await int8Runs(network, tensors, crops.measuring, { weightsFolder, meter });
    await saveCalibration(checkpoint, tensors, {
      version: 1,
      weights_sha256: await this.#catalog.sha256(checkpoint),
      weight_limit: limit,
      calibrated_on: { source: crops.source, crops: crops.calibrating.length },
      measured: fidelityOf(pictures.map((picture, index) => [picture, measured[index] ?? picture])),
    });
  }
}

interface RunContext {
  readonly weightsFolder: string;
  /** Told of every finished run. */
  readonly meter: (stage: 'calibrating' | 'measuring', index: number) => void;
}

function progressMeter(
  { calibrating, measuring }: CalibrationCrops,
  onProgress: ProcessorHooks['onProgress'],
): RunContext['meter'] {
  const runs = calibrating.length + 2 * measuring.length;
  let done = 0;
  return (stage, index) => {
    const images = (stage === 'calibrating' ? calibrating : measuring).length;
    onProgress({ stage, progress: ++done / runs, stageProgress: (index + 1) / images, image: index + 1, images });
  };
}

/** @throws Int8RefusedError */
function assertQuantizable(network: RecognisedNetwork): void {
  const { architecture, int8Refusal, role } = network;
  const reason = int8Refusal ?? (role === undefined ? undefined : `a ${role} is no upscaler`);
  if (reason !== undefined) throw new Int8RefusedError(`${architecture} is not made to run in int8: ${reason}`);
  if (denseBlocksOf(buildImageGraph(network, SHAPE)).length > 0) return;
  throw new Int8RefusedError(`${architecture} is not made to run in int8: it has no dense blocks`);
}

/** Float32: the ranges of the crops that calibrate, and the pictures of those that measure. */
async function watchedRuns(
  network: RecognisedNetwork,
  { calibrating, measuring }: CalibrationCrops,
  { weightsFolder, meter }: RunContext,
): Promise<{ blocks: readonly DenseBlock[]; ranges: Ranges; pictures: readonly Uint8Array[] }> {
  const graph = buildImageGraph(network, SHAPE);
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

async function int8Runs(
  network: RecognisedNetwork,
  tensors: Int8Tensors,
  crops: readonly Crop[],
  { weightsFolder, meter }: RunContext,
): Promise<readonly Uint8Array[]> {
  const model = serializeModel(int8Graph(buildImageGraph(network, SHAPE), numbersInMemory(tensors)));
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
  throw new InferenceError('the network answers with values that are no numbers; its weights are damaged', {
    isOutOfMemory: false,
  });
}
