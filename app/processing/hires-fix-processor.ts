import { basename } from 'node:path';
import type { Config } from '../config.ts';
import type { ImageUpscaler, UpscalePlan, UpscaleTask } from './image-upscaler.ts';
import type { PixelWork, ProcessorHooks } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { Attempt, HiresFixTask } from './tasks.ts';

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
   * @throws what `processImages` does
   */
  async process(task: HiresFixTask, attempt: Attempt, scratch: string, hooks: ProcessorHooks): Promise<void> {
    const isBatch = task.images.length > 1;
    const work = this.#work({ ...task, ...attempt, isBatch, scratch, onRunning: (on) => hooks.onRunning(on) });
    await processImages(task, work, { attempt, scratch, hooks, maxInputPixels: this.#config.maxInputPixels });
    await this.#upscaler.close();
  }

  #work(task: UpscaleTask): PixelWork<UpscalePlan> {
    const asked = task.modelFile === undefined ? task.options.upscaler : basename(task.modelFile);
    return {
      plan: async (image, clock) => {
        const plan = await this.#upscaler.plan(image, task, clock);
        return { plan, shape: { ...image, ...plan.size } };
      },
      make: async (image, plan, clock) => {
        const upscaled = await this.#upscaler.upscale(image, plan, task, clock);
        return { image: upscaled.image, info: { ...upscaled.info, asked_upscaler: asked } };
      },
    };
  }
}
