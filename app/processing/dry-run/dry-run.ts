import type { Config } from '../../config.ts';
import { HiresFixError } from '../../errors.ts';
import { describeImage } from '../../imaging/codec/codec.ts';
import type { ImageShape } from '../../imaging/image.ts';
import { upscaleFaceSettings } from '../../options/face-options.ts';
import { backgroundOptions, faceTaskSettings } from '../../options/face-task-options.ts';
import type { OutputFormat } from '../../options/output-formats.ts';
import type { RestoreStep } from '../../options/restore-options.ts';
import { assertWorkFits } from '../assert-work-fits.ts';
import { FACE_SIDE } from '../faces/align-face.ts';
import { FaceCropUpscaler } from '../faces/face-crop-upscaler.ts';
import { FaceRestorer } from '../faces/face-restorer.ts';
import { ModelFetcher } from '../networks/model-fetcher.ts';
import { resultPlace } from '../result-place.ts';
import { cleanerFile } from '../restore/picture-cleaner.ts';
import { restoreSteps } from '../restore/restore-steps.ts';
import type { Fallback, Size } from '../result.ts';
import { StageClock } from '../stage-clock.ts';
import type { FaceTask, HiresFixTask, RestoreTask, TaskImage } from '../tasks.ts';
import { targetSize } from '../upscale/target-size.ts';
import type { NeededModels } from './noted-models.ts';
import { NotedModels } from './noted-models.ts';
import { UpscaleForecast } from './upscale-forecast.ts';

/** Work that can be told before it is done. */
export type ForeseeableTask = HiresFixTask | FaceTask | RestoreTask;

/** What would be done to one image. */
export interface ForeseenResult extends NeededModels {
  /** Of the image in its task, from 0. */
  readonly index: number;
  /** Where the result would be written. */
  readonly file: string;
  readonly format: OutputFormat;
  readonly input: Size;
  readonly output: Size;
  /** What would enlarge it. */
  readonly upscaler?: string;
  readonly steps?: readonly RestoreStep[];
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
}

/** Told what would become of each image, in their order. */
export interface DryRunHooks {
  onResult(result: ForeseenResult): void;
  onImageFailed(index: number, error: HiresFixError): void;
}

/** What would be made, by what. */
interface Foreseen extends Pick<ForeseenResult, 'fallbacks' | 'steps' | 'upscaler'> {
  readonly shape: ImageShape;
}

/**
 * Says what a task would do: reads the headers of its images and of the models that are there, and writes and fetches nothing.
 * What only the work finds out is not known: a picture that is damaged further on, faces that are not there, a fetch that fails.
 * @throws what is wrong with the task and not with one image
 */
export async function dryRun(task: ForeseeableTask, config: Config, hooks: DryRunHooks): Promise<void> {
  const run = new DryRun(task, config);
  for (const [index, image] of task.images.entries()) {
    try {
      hooks.onResult({ index, ...(await run.foresee(image)) });
    } catch (error) {
      if (!(error instanceof HiresFixError) || error.fault !== 'image') throw error;
      hooks.onImageFailed(index, error);
    }
  }
}

class DryRun {
  readonly #task: ForeseeableTask;
  readonly #config: Config;
  readonly #models: NotedModels;
  readonly #upscale: UpscaleForecast;
  readonly #written = new Set<string>();

  constructor(task: ForeseeableTask, config: Config) {
    this.#task = task;
    this.#config = config;
    this.#models = new NotedModels(config);
    this.#upscale = new UpscaleForecast(config, this.#models);
  }

  /** @throws what the image would be refused with */
  async foresee(image: TaskImage): Promise<Omit<ForeseenResult, 'index'>> {
    const [task, written] = [this.#task, this.#written];
    const limits = { maxPixels: this.#config.maxInputPixels, name: image.name };
    const { format: source, shape } = await describeImage(image.file, limits);
    await assertWorkFits(task, [image], this.#config);
    const { shape: made, ...foreseen } = await this.#foreseen(shape);
    const { file, format, warnings } = await resultPlace(image, { source, shape: made }, { task, written });
    written.add(file);
    const sizes = { input: sizeOf(shape), output: sizeOf(made) };
    return { file, format, warnings, ...sizes, ...foreseen, ...this.#models.take() };
  }

  /** Asks for the models as the work would, before it is done. */
  async #foreseen(image: ImageShape): Promise<Foreseen> {
    const [task, config] = [this.#task, this.#config];
    const models = new ModelFetcher(this.#models);
    const faces = new FaceRestorer(models);
    const clock = StageClock.ofImage({ image: 0, images: 1 }, () => undefined);
    if (task.kind === 'restore') {
      const steps = restoreSteps(config, models, faces);
      for (const name of task.steps) await steps[name].prepare({ clock, options: task.options });
      const size = targetSize(image, {}, 1, config.maxOutputPixels);
      const shape = task.steps.reduce((from: ImageShape, name) => steps[name].shapeOf(from), { ...image, ...size });
      return { shape, steps: task.steps, fallbacks: [] };
    }
    if (task.kind === 'hires-fix') {
      if (task.options.clean !== undefined) await cleanerFile(task.options.clean, models, clock);
      const upscaled = await this.#upscale.of(image, task);
      const settings = task.faces ?? upscaleFaceSettings(task.options, config);
      if (settings) await faces.prepare(settings, clock);
      return upscaled;
    }
    const settings = faceTaskSettings(task.options, config);
    const upscaled = task.options.aligned
      ? { shape: alignedShape(image, task), fallbacks: [] }
      : await this.#upscale.of(image, { options: backgroundOptions(task.options) });
    const isCrop = task.options.face_model === 'realesrgan';
    await (isCrop ? new FaceCropUpscaler(models) : faces).prepare(settings, clock);
    return upscaled;
  }
}

function alignedShape(image: ImageShape, { options: { size = FACE_SIDE } }: FaceTask): ImageShape {
  return { ...image, width: size, height: size };
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
