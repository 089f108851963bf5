import { int8RefusalOf } from '../../architectures/architecture.ts';
import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { recognise } from '../../architectures/registry.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { readTensor } from '../../checkpoints/read-tensor.ts';
import type { Config } from '../../config.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import { Int8RefusedError } from '../../quantization/errors.ts';
import { firstThatPasses } from '../../quantization/fidelity.ts';
import type { Int8Parts } from '../../quantization/int8-graph.ts';
import { int8PartsOf } from '../../quantization/int8-graph.ts';
import { int8Tensors } from '../../quantization/int8-model.ts';
import type { Int8Recipe } from '../../quantization/int8-recipe.ts';
import { int8Recipe } from '../../quantization/int8-recipe.ts';
import type { CalibrationCrops } from './calibration-crops.ts';
import { imageCrops, sceneCrops } from './calibration-crops.ts';
import type { CropRuns } from './crop-runs.ts';
import { CROP, watchedRuns } from './crop-runs.ts';
import { compareForms, runFloat32, runInt8 } from './measure-fidelity.ts';
import { assertWritable, saveCalibration } from '../networks/int8-calibration.ts';
import type { ProcessorHooks } from '../each-image.ts';
import type { OptimizeTask } from '../tasks.ts';
import { checkWeightsOnce } from '../networks/check-weights-once.ts';
import { weightLimit } from '../networks/weight-limit.ts';

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
    checkWeightsOnce(dict);
    const { head } = quantizableParts(network);
    await assertWritable(checkpoint);
    const { maxInputPixels: maxPixels } = this.#config;
    const { scale } = network;
    const crops = images.length > 0 ? await imageCrops(images, { maxPixels, scale }) : await sceneCrops(scale);
    const runs = {
      weightsFolder: weightsFolderOf(checkpoint),
      meter: progressMeter(crops, head ? 2 : 1, onProgress),
    };
    const watched = await watchedRuns(network, crops.calibrating, runs);
    const limit = await weightLimit();
    const pairs = crops.measuring;
    const read = (name: string) => readTensor(dict, name);
    const whole = int8Recipe(watched, crops.margin);
    const float32 = await runFloat32(network, pairs, runs);
    const { tensors, measured } = await firstThatPasses(recipesOf(whole), async (recipe) => {
      const made = int8Tensors(watched.parts, recipe, { read, limit });
      const int8 = await runInt8(network, { tensors: made, pairs }, runs);
      return { tensors: made, measured: compareForms({ pairs, scale: network.scale }, float32, int8) };
    });
    await saveCalibration(checkpoint, tensors, {
      version: 2,
      weights_sha256: await this.#catalog.sha256(checkpoint),
      weight_limit: limit,
      calibrated_on: { source: crops.source, crops: crops.calibrating.length },
      measured,
    });
  }
}

/** From the fastest form to that which is nearest to float32: a head in 8 bits is not near enough for every network. */
function recipesOf(whole: Int8Recipe): [Int8Recipe, ...Int8Recipe[]] {
  const { head, ...trunk } = whole;
  return head ? [whole, trunk] : [whole];
}

/** @param forms that may have to be measured: those of `recipesOf` */
function progressMeter(
  { calibrating, measuring }: CalibrationCrops,
  forms: number,
  onProgress: ProcessorHooks['onProgress'],
): CropRuns['meter'] {
  const totals = { calibrating: calibrating.length, measuring: (1 + forms) * measuring.length };
  const done = { calibrating: 0, measuring: 0 };
  return (stage) => {
    const [image, images] = [++done[stage], totals[stage]];
    const progress = (done.calibrating + done.measuring) / (totals.calibrating + totals.measuring);
    onProgress({ stage, progress, stageProgress: image / images, image, images });
  };
}

/** @throws Int8RefusedError */
function quantizableParts(network: RecognisedNetwork): Int8Parts {
  const { architecture, role } = network;
  const reason = role === undefined ? int8RefusalOf(network) : `a ${role} is no upscaler`;
  if (reason !== undefined) throw new Int8RefusedError(`${architecture} is not made to run in int8: ${reason}`);
  return int8PartsOf(buildImageGraph(network, CROP));
}
