import type { Config } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import type { Image } from '../imaging/image.ts';
import type { Rectangle } from '../imaging/rectangle.ts';
import { BadParameterError } from './errors.ts';
import type { TaskRun } from './each-image.ts';
import type { PixelWork } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { PreviewTask } from './tasks.ts';
import type { ImageUpscaler } from './upscale/image-upscaler.ts';
import type { UpscalePlan, UpscaleTask } from './upscale/upscale-plan.ts';

/** Said in `info.warnings` where faces were asked for. */
const NO_FACES = 'faces are not restored in a preview';
/** The same of what looks at the whole picture. */
const NO_CORRECTION = 'colour_fix and clean are left out of a preview';

/**
 * A region of a picture as several upscalers would make it: each result equals the same crop of the whole one, because the same tiles
 * are run, but only those that the region needs.
 */
export class PreviewProcessor {
  readonly #config: Pick<Config, 'maxInputPixels'>;
  readonly #upscaler: ImageUpscaler;

  constructor(config: Pick<Config, 'maxInputPixels'>, upscaler: ImageUpscaler) {
    this.#config = config;
    this.#upscaler = upscaler;
  }

  /**
   * Works through the upscalers that no earlier worker finished; one that is unknown or cannot be had fails by itself.
   * @throws what `processImages` does where the device or the service failed
   */
  async process(task: PreviewTask, run: TaskRun): Promise<void> {
    for (const [index, upscaler] of task.upscalers.entries()) {
      const others = task.images.map((_, other) => other).filter((other) => other !== index);
      const finished = [...new Set([...run.rung.finished, ...others])];
      const only = { ...run, rung: { ...run.rung, finished }, maxInputPixels: this.#config.maxInputPixels };
      try {
        await processImages(task, this.#work(upscaler, task, run), only);
      } catch (error) {
        if (!(error instanceof HiresFixError) || (error.fault !== 'task' && error.fault !== 'model')) throw error;
        run.hooks.onImageFailed(index, error);
      }
    }
    await this.#upscaler.endTask();
  }

  #work(upscaler: string, { options, region }: PreviewTask, { rung, scratch, hooks }: TaskRun): PixelWork<UpscalePlan> {
    const task = {
      ...rung,
      options: { ...options, upscaler },
      region,
      isBatch: false,
      scratch,
      onRunning: (on) => hooks.onRunning(on),
    } satisfies UpscaleTask;
    return {
      plan: async (image, { clock }) => {
        assertInside(region, image);
        const plan = await this.#upscaler.plan(image, task, clock);
        const { width, height } = plan.part ?? plan.size;
        const { channels } = plan;
        return { plan, shape: { ...image, width, height, channels } };
      },
      make: async (image, plan, { clock }) => {
        const made = await this.#upscaler.upscale(image, plan, task, clock);
        const isCorrected = (options.colour_fix ?? 'none') !== 'none' || options.clean !== undefined;
        const left = [...(options.is_face_enhance === true ? [NO_FACES] : []), ...(isCorrected ? [NO_CORRECTION] : [])];
        const warnings = [...made.info.warnings, ...left];
        return { ...made, info: { ...made.info, asked_upscaler: upscaler, warnings } };
      },
    };
  }
}

function assertInside({ x, y, width, height }: Rectangle, image: Pick<Image, 'width' | 'height'>): void {
  if (x + width <= image.width && y + height <= image.height) return;
  throw new BadParameterError(
    `region: must lie within the picture, which has ${image.width} x ${image.height} pixels, got "${x},${y},${width},${height}"`,
  );
}
