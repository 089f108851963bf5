import { rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import type { DecodedImage } from '../imaging/codec.ts';
import { decodeImage, encodeImage } from '../imaging/codec.ts';
import { hasAlpha } from '../imaging/image.ts';
import { InferenceError } from '../inference/errors.ts';
import { FileExistsError } from './errors.ts';
import type { ImageUpscaler, RunningOn } from './image-upscaler.ts';
import { chooseFormat, extensionOf } from './output-format.ts';
import type { WorkProgress } from './progress.ts';
import type { ImageResult, ResultInfo } from './result.ts';
import { StageClock } from './stage-clock.ts';
import type { Attempt, HiresFixTask, TaskImage } from './tasks.ts';

/** What the processor tells while it works. */
export interface ProcessorHooks {
  onProgress(progress: WorkProgress): void;
  /** A network is about to run: what a fallback after a crash starts from. */
  onRunning(on: RunningOn): void;
  onResult(result: ImageResult): void;
  /** One image could not be read or made; the others go on. */
  onImageFailed(index: number, error: HiresFixError): void;
}

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
   * @throws InferenceError where the device or its memory failed, so that another attempt may do better
   */
  async process(task: HiresFixTask, attempt: Attempt, scratch: string, hooks: ProcessorHooks): Promise<void> {
    for (const [index, image] of task.images.entries()) {
      if (attempt.finished.includes(index)) continue;
      const clock = new StageClock(index, task.images.length, {}, (progress) => hooks.onProgress(progress));
      try {
        hooks.onResult(await this.#processImage(image, { index, task, attempt, scratch, clock, hooks }));
      } catch (error) {
        if (!(error instanceof HiresFixError) || error instanceof InferenceError) throw error;
        hooks.onImageFailed(index, error);
      }
    }
    await this.#upscaler.close();
  }

  async #processImage(image: TaskImage, work: Work): Promise<ImageResult> {
    const { index, task, attempt, scratch, clock, hooks } = work;
    const decoded = await clock.time('decode', () =>
      decodeImage(image.file, { maxPixels: this.#config.maxInputPixels, name: image.name }),
    );
    const format = chooseFormat(task.output.output_format, decoded.metadata.format, hasAlpha(decoded.image.channels));
    const file = image.outputFile ?? `${image.outputStem}.${extensionOf(format)}`;
    await assertFree(file, task);
    const upscaled = await this.#upscaler.upscale(
      decoded.image,
      {
        options: task.options,
        modelFile: task.modelFile,
        isBatch: task.images.length > 1,
        scratch,
        excludedDevices: attempt.excludedDevices,
        maxTile: attempt.maxTile,
        onRunning: (on) => hooks.onRunning(on),
      },
      clock,
    );
    const partial = join(scratch, `${index}-${basename(file)}`);
    const warnings = await clock.time('encode', () => {
      clock.at('encoding', 0);
      return encodeImage(upscaled.image, partial, {
        format,
        quality: task.output.quality,
        ...(task.output.metadata === 'keep' ? { metadata: decoded.metadata } : { icc: decoded.metadata.icc }),
      });
    });
    upscaled.image.dispose();
    await rename(partial, file);
    clock.at('encoding', 1);
    return {
      index,
      file,
      bytes: (await stat(file)).size,
      info: describe(upscaled.info, { format, decoded, warnings, asked: task.modelFile === undefined ? task.options.upscaler : basename(task.modelFile), clock }),
    };
  }
}

/** Told before the work, not after it. */
async function assertFree(file: string, { mayOverwrite = false }: HiresFixTask): Promise<void> {
  if (mayOverwrite || !(await stat(file).catch(() => undefined))) return;
  throw new FileExistsError(`${file}: there is such a file already; choose another name, or ask to overwrite`);
}

interface Work {
  readonly index: number;
  readonly task: HiresFixTask;
  readonly attempt: Attempt;
  readonly scratch: string;
  readonly clock: StageClock;
  readonly hooks: ProcessorHooks;
}

function describe(
  info: Awaited<ReturnType<ImageUpscaler['upscale']>>['info'],
  of: {
    readonly format: string;
    readonly decoded: DecodedImage;
    readonly warnings: readonly string[];
    readonly asked: string;
    readonly clock: StageClock;
  },
): ResultInfo {
  return {
    ...info,
    asked_upscaler: of.asked,
    format: of.format,
    warnings: [...of.decoded.warnings, ...info.warnings, ...of.warnings],
    seconds: of.clock.seconds(),
  };
}
