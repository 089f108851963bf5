import { basename } from 'node:path';
import type { Config } from '../config.ts';
import type { Image } from '../imaging/image.ts';
import { croppedRows, rowsOf } from '../imaging/rows.ts';
import { rowsInto } from '../imaging/rows-into.ts';
import type { FaceSettings } from '../options/face-options.ts';
import { upscaleFaceSettings } from '../options/face-options.ts';
import type { FaceRestorer } from './faces/face-restorer.ts';
import type { ImageUpscaler } from './upscale/image-upscaler.ts';
import type { UpscalePlan, UpscaleTask } from './upscale/upscale-plan.ts';
import type { ImageContext, TaskRun } from './each-image.ts';
import type { Made, PixelWork } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { StageShares } from './stage-clock.ts';
import { taskDevices } from './networks/task-devices.ts';
import type { HiresFixTask } from './tasks.ts';
import { withColorsOf } from './upscale/color-fix.ts';
import type { PictureCleaner } from './restore/picture-cleaner.ts';
import { withCleaning } from './restore/picture-cleaner.ts';
import { reducedPsnr } from './upscale/reduced-psnr.ts';
import { coverCrop } from './upscale/target-size.ts';

/** Share of an image's progress that is spent upscaling when faces are restored after it. */
const UPSCALING_SHARE = 0.6;
/** The stages of the rest, where encoding begins after them. */
const FACE_STAGES: StageShares = { detecting: [0, 0.15], restoring: [0.15, 0.9] };
const ENCODING_FROM = 0.96;

interface FaceWork {
  readonly context: ImageContext;
  readonly task: UpscaleTask;
  readonly faces: FaceSettings | undefined;
}

/** What does the steps of an upscale. */
export interface UpscalingParts {
  readonly upscaler: ImageUpscaler;
  readonly cleaner: PictureCleaner;
  readonly faces: FaceRestorer;
}

type HiresFixConfig = Pick<
  Config,
  'device' | 'forceCpu' | 'faceRestorationStrength' | 'isFaceEnhance' | 'maxInputPixels'
>;

/**
 * The hires fix: decodes, upscales and encodes the images of a task one after another, and restores their faces when asked. The
 * upscaler's model is loaded once for all images, or once for each when face models or a cleaner take its place in between.
 */
export class HiresFixProcessor {
  readonly #config: HiresFixConfig;
  readonly #upscaler: ImageUpscaler;
  readonly #cleaner: PictureCleaner;
  readonly #faces: FaceRestorer;

  constructor(config: HiresFixConfig, parts: UpscalingParts) {
    this.#config = config;
    this.#upscaler = parts.upscaler;
    this.#cleaner = parts.cleaner;
    this.#faces = parts.faces;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `processImages` does
   */
  async process(task: HiresFixTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const isBatch = task.images.length > 1;
    const upscale = {
      ...task,
      ...rung,
      isBatch,
      scratch,
      onRunning: (on) => hooks.onRunning(on),
    } satisfies UpscaleTask;
    const work = this.#work(upscale, task.faces ?? upscaleFaceSettings(task.options, this.#config));
    await processImages(task, work, { ...run, maxInputPixels: this.#config.maxInputPixels });
    await this.#upscaler.endTask();
  }

  #work(task: UpscaleTask, faces: FaceSettings | undefined): PixelWork<UpscalePlan> {
    const asked = task.modelFile === undefined ? task.options.upscaler : basename(task.modelFile);
    return {
      plan: async (image, context) => {
        const { clock } = context;
        await this.#cleaner.prepare(task, context);
        const plan = await this.#upscaler.plan(image, task, clock);
        if (faces) await this.#faces.prepare(faces, clock);
        const size = coverCrop(plan.size, task.options) ?? plan.size;
        return { plan, shape: { ...image, ...size, channels: plan.channels } };
      },
      make: async (image, plan, context) => {
        const cleaned = await this.#cleaner.clean(image, task, context);
        const { clock } = cleaned.context;
        const upscaling = faces ? clock.span(0, UPSCALING_SHARE) : clock;
        const upscaled = await this.#upscaler.upscale(cleaned.image, plan, task, upscaling);
        const made = await withColorsOf(image, withCleaning(upscaled, cleaned), task, upscaling);
        const named = { ...made, info: { ...made.info, asked_upscaler: asked } };
        const work = { task, faces, context: cleaned.context };
        const restored = await this.#restoreFaces(cleaned.image, named, work);
        if (task.options.clean !== undefined) await this.#upscaler.close(); // the cleaner comes next
        const whole = cropped(restored, plan, task);
        return plan.network ? measured(image, whole, context) : whole;
      },
    };
  }

  async #restoreFaces(source: Image, upscaled: Made, { task, faces, context: shared }: FaceWork): Promise<Made> {
    if (!faces) return upscaled;
    await this.#upscaler.close(); // one model at a time
    const clock = shared.clock.span(UPSCALING_SHARE, 1, FACE_STAGES);
    const devices = taskDevices(this.#config, task);
    const context = { ...shared, clock, scratch: task.scratch, devices, onRunning: task.onRunning };
    const { image, info, fallbacks, warnings } = await this.#faces.restore(
      rowsOf(source),
      upscaled.image,
      faces,
      context,
    );
    if (image) upscaled.image.dispose();
    return {
      image: image ?? upscaled.image,
      encodingFrom: ENCODING_FROM,
      info: {
        ...upscaled.info,
        ...info,
        fallbacks: [...upscaled.info.fallbacks, ...fallbacks],
        warnings: [...upscaled.info.warnings, ...warnings],
      },
    };
  }
}

/** Tells how near a network's result is to its source. */
async function measured(source: Image, made: Made, { clock }: ImageContext): Promise<Made> {
  const psnr = await clock.time('measure', () => reducedPsnr(source, made.image));
  if (psnr === undefined) return made;
  return { ...made, info: { ...made.info, psnr_reduced: psnr === Infinity ? null : Math.round(psnr * 100) / 100 } };
}

/** The middle of a picture that was made to cover a size of another ratio. */
function cropped(made: Made, { size }: UpscalePlan, { options, scratch }: UpscaleTask): Made {
  const region = coverCrop(size, options);
  if (!region) return made;
  const image = rowsInto(croppedRows(made.image, region), scratch);
  made.image.dispose();
  const { width, height } = region;
  return { ...made, image, info: { ...made.info, output: { width, height } } };
}
