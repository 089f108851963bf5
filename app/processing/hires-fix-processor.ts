import { rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UnknownNetworkError } from '../architectures/errors.ts';
import { BadModelsLockError, ModelUnavailableError, UnknownModelError } from '../catalog/errors.ts';
import { CheckpointError } from '../checkpoints/errors.ts';
import type { Config } from '../config.ts';
import { assertHolds } from '../imaging/codec-encode.ts';
import type { DecodedImage } from '../imaging/codec.ts';
import { decodeImage, encodeImage } from '../imaging/codec.ts';
import { OutputFormatError } from '../imaging/errors.ts';
import type { ImageShape } from '../imaging/image.ts';
import { InferenceError } from '../inference/errors.ts';
import { GraphError, WeightsError } from '../onnx/errors.ts';
import { BadParameterError, FileExistsError, UnknownUpscalerError } from './errors.ts';
import type { ImageUpscaler, RunningOn, Upscaled, UpscaleTask } from './image-upscaler.ts';
import type { OutputFormat } from './output-format.ts';
import { chooseFormat, extensionOf } from './output-format.ts';
import type { WorkProgress } from './progress.ts';
import type { ImageResult } from './result.ts';
import { StageClock } from './stage-clock.ts';
import type { Attempt, HiresFixTask, TaskImage } from './tasks.ts';
import type { OutputOptions } from './upscale-options.ts';

/** What the processor tells while it works. */
export interface ProcessorHooks {
  /** It begins with an image. */
  onImage(index: number): void;
  onProgress(progress: WorkProgress): void;
  /** A network is about to run: what a fallback after a crash starts from. */
  onRunning(on: RunningOn): void;
  onResult(result: ImageResult): void;
  /** One image could not be read or made; the others go on. */
  onImageFailed(index: number, error: unknown): void;
}

/** What is wrong with the task whatever the image; and what another attempt may do better. */
const TASK_ERRORS = [
  BadModelsLockError,
  BadParameterError,
  CheckpointError,
  GraphError,
  InferenceError,
  ModelUnavailableError,
  UnknownModelError,
  UnknownNetworkError,
  UnknownUpscalerError,
  WeightsError,
];

/** The hires fix: every image of a task is decoded, upscaled, and encoded, one after another, with the model loaded once. */
export class HiresFixProcessor {
  readonly #config: Config;
  readonly #upscaler: ImageUpscaler;

  constructor(config: Config, upscaler: ImageUpscaler) {
    this.#config = config;
    this.#upscaler = upscaler;
  }

  /**
   * Works through the images that no earlier attempt finished.
   * @param scratch a folder for this attempt's scratch files
   * @throws what is wrong with the task and not with one image; InferenceError where the device or its memory failed, so that
   * another attempt may do better
   */
  async process(task: HiresFixTask, attempt: Attempt, scratch: string, hooks: ProcessorHooks): Promise<void> {
    const written = new Set<string>();
    for (const [index, image] of task.images.entries()) {
      if (attempt.finished.includes(index)) continue;
      hooks.onImage(index);
      const clock = new StageClock(index, task.images.length, {}, (progress) => hooks.onProgress(progress));
      const isBatch = task.images.length > 1;
      const onRunning = (on: RunningOn): void => hooks.onRunning(on);
      const work = { task: { ...task, ...attempt, isBatch, scratch, onRunning }, written, clock };
      try {
        hooks.onResult({ index, ...(await this.#processImage(image, work)) });
      } catch (error) {
        if (TASK_ERRORS.some((kind) => error instanceof kind)) throw error;
        hooks.onImageFailed(index, error);
      }
    }
    await this.#upscaler.close();
  }

  async #processImage(image: TaskImage, { task, written, clock }: Work): Promise<Omit<ImageResult, 'index'>> {
    const limits = { maxPixels: this.#config.maxInputPixels, name: image.name };
    const decoded = await clock.time('decode', () => decodeImage(image.file, limits));
    const plan = await this.#upscaler.plan(decoded.image, task, clock);
    const format = resultFormat(task.output.output_format, decoded, plan.size);
    const file = image.outputFile ?? `${image.outputStem}.${extensionOf(format)}`;
    await assertFree(file, task.mayOverwrite === true, written);
    const upscaled = await this.#upscaler.upscale(decoded.image, plan, task, clock);
    const warnings = await clock.time('encode', () => encode(upscaled, { file, format, decoded, task, clock }));
    written.add(file);
    clock.at('encoding', 1);
    const asked = task.modelFile === undefined ? task.options.upscaler : basename(task.modelFile);
    return {
      file,
      bytes: (await stat(file)).size,
      info: {
        ...upscaled.info,
        asked_upscaler: asked,
        format,
        warnings: [...decoded.warnings, ...upscaled.info.warnings, ...warnings],
        seconds: clock.seconds(),
      },
    };
  }
}

interface Work {
  readonly task: HiresFixTask & UpscaleTask;
  /** Results of this task, which no other result may replace. */
  readonly written: Set<string>;
  readonly clock: StageClock;
}

/** Told before the work, not after it: a format that cannot hold the result is an error, or for `auto` becomes PNG. */
function resultFormat(
  asked: OutputOptions['output_format'],
  { image, metadata }: DecodedImage,
  size: Pick<ImageShape, 'width' | 'height'>,
): OutputFormat {
  const shape = { ...image, ...size };
  const format = chooseFormat(asked, metadata.format, shape);
  try {
    assertHolds(format, shape);
    return format;
  } catch (error) {
    if (asked === 'auto' && error instanceof OutputFormatError) return 'png';
    throw error;
  }
}

/** Told before the work too. What else `stat` says, such as that the name is too long, would keep the result from its place. */
async function assertFree(file: string, mayOverwrite: boolean, written: ReadonlySet<string>): Promise<void> {
  if (written.has(file)) throw new FileExistsError(`${file}: another result of this run has that name already`);
  const there = await stat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined || (mayOverwrite && there.isFile())) return;
  if (there.isDirectory()) throw new FileExistsError(`${file}: there is a folder of that name; choose another name`);
  throw new FileExistsError(`${file}: there is such a file already; choose another name, or ask to overwrite`);
}

/** Under a scratch name first: what is at `file` is always whole. */
async function encode(
  { image }: Upscaled,
  how: {
    readonly file: string;
    readonly format: OutputFormat;
    readonly decoded: DecodedImage;
    readonly task: HiresFixTask & UpscaleTask;
    readonly clock: StageClock;
  },
): Promise<readonly string[]> {
  const { file, format, decoded, task, clock } = how;
  const partial = join(task.scratch, `result.${extensionOf(format)}`); // short: a name of its own may be as long as a name can be
  const { quality, metadata } = task.output;
  clock.at('encoding', 0);
  try {
    const kept = metadata === 'keep' ? { metadata: decoded.metadata } : { icc: decoded.metadata.icc };
    const warnings = await encodeImage(image, partial, { format, quality, ...kept });
    await rename(partial, file);
    return warnings;
  } finally {
    image.dispose();
  }
}
