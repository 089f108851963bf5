import type { Config } from '../config.ts';
import { blendRows, blendSamplesAsPillow } from '../imaging/blend.ts';
import type { Rectangle } from '../imaging/rectangle.ts';
import type { Image } from '../imaging/image.ts';
import { rowsInto } from '../imaging/rows-into.ts';
import { croppedRows, rowsOf } from '../imaging/rows.ts';
import type { ExtrasOptions, ExtrasUpscaler } from '../options/extras-options.ts';
import type { FaceModelName, FaceSettings } from '../options/face-options.ts';
import type { FaceRestorer } from './faces/face-restorer.ts';
import { askedUpscale, extrasSize } from './extras-size.ts';
import type { UpscalingParts } from './hires-fix-processor.ts';
import { taskDevices } from './networks/task-devices.ts';
import type { ImageContext, TaskRun } from './each-image.ts';
import type { Made, PixelWork } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { Size } from './result.ts';
import type { StageClock } from './stage-clock.ts';
import type { ExtrasTask } from './tasks.ts';
import { withColorsOf } from './upscale/color-fix.ts';
import type { ImageUpscaler, Upscaled } from './upscale/image-upscaler.ts';
import type { UpscalePlan, UpscaleTask } from './upscale/upscale-plan.ts';
import type { PictureCleaner } from './restore/picture-cleaner.ts';
import { withCleaning } from './restore/picture-cleaner.ts';

/** Share of an image's progress that is spent upscaling when faces are restored after it; then each restorer's, then encoding. */
const UPSCALING_SHARE = 0.6;
const ENCODING_FROM = 0.96;
/** Name of the text of a PNG in which the WebUI says what its extras did. */
const TEXT_KEYWORD = 'postprocessing';

type ExtrasConfig = Pick<Config, 'device' | 'forceCpu' | 'maxInputPixels'>;

/** One upscaler's part in an image. */
interface Pass {
  readonly task: UpscaleTask;
  readonly plan: UpscalePlan;
  /** How much of it covers what is there, 0..1. */
  readonly visibility: number;
}

interface ExtrasPlan {
  readonly passes: readonly [Pass, ...Pass[]];
  readonly region: Rectangle | undefined;
}

interface Run {
  readonly upscale: Omit<UpscaleTask, 'options'>;
  readonly options: ExtrasOptions;
  readonly restorers: readonly FaceSettings[];
}

/**
 * What the "extras" of the A1111 WebUI do, in its order: one upscaler, or two whose results are blended; GFPGAN; CodeFormer; a cut
 * to size; and before and after the upscalers what else may be asked of an upscale here. Restorers look at the picture as it came, and their faces go into the enlarged one.
 */
export class ExtrasProcessor {
  readonly #config: ExtrasConfig;
  readonly #upscaler: ImageUpscaler;
  readonly #cleaner: PictureCleaner;
  readonly #faces: FaceRestorer;

  constructor(config: ExtrasConfig, parts: UpscalingParts) {
    this.#config = config;
    this.#upscaler = parts.upscaler;
    this.#cleaner = parts.cleaner;
    this.#faces = parts.faces;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `processImages` does
   */
  async process(task: ExtrasTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const { options } = task;
    const upscale = { ...rung, isBatch: task.images.length > 1, scratch, onRunning: hooks.onRunning.bind(hooks) };
    const work = this.#work({ upscale, options, restorers: restorersOf(options) });
    await processImages(task, work, { ...run, maxInputPixels: this.#config.maxInputPixels });
    await this.#upscaler.endTask();
  }

  #work(run: Run): PixelWork<ExtrasPlan> {
    return {
      plan: async (image, context) => {
        const plan = await this.#plan(image, run, context);
        const { region, passes } = plan;
        const { width, height } = region ?? passes[0].plan.size;
        return { plan, shape: { ...image, width, height } };
      },
      make: async (image, plan, context) => {
        const { task } = plan.passes[0];
        const cleaned = await this.#cleaner.clean(image, task, context);
        const { clock } = cleaned.context;
        const upscaling = run.restorers.length > 0 ? clock.span(0, UPSCALING_SHARE) : clock;
        const upscaled = withCleaning(await this.#upscale(cleaned.image, plan, upscaling), cleaned);
        const enlarged = await withColorsOf(image, upscaled, task, upscaling);
        const made = await this.#restoreFaces(cleaned.image, enlarged, { run, plan, context: cleaned.context });
        if (run.options.clean !== undefined) await this.#upscaler.close(); // the cleaner comes next
        return { ...cropped(image, made, plan, run), texts: { [TEXT_KEYWORD]: run.options.text } };
      },
    };
  }

  /** The second upscaler is looked at first, so that it is the first one's network that is there in the end. */
  async #plan(image: Image, { upscale, options, restorers }: Run, context: ImageContext): Promise<ExtrasPlan> {
    const { clock } = context;
    const { asked, region } = extrasSize(image, options.size);
    const { colorFix, clean } = options;
    const passOf = async (one: ExtrasUpscaler, visibility: number): Promise<Pass> => {
      const task = { ...upscale, options: { ...askedUpscale(one, asked), colour_fix: colorFix, clean } };
      return { task, plan: await this.#upscaler.plan(image, task, clock), visibility };
    };
    const { first, second } = options;
    const others = second ? [await passOf(second, second.visibility)] : [];
    const passes: ExtrasPlan['passes'] = [await passOf(first, 1), ...others];
    await this.#cleaner.prepare(passes[0].task, context);
    for (const settings of restorers) await this.#faces.prepare(settings, clock);
    return { passes, region };
  }

  async #upscale(image: Image, { passes: [first, ...others] }: ExtrasPlan, clock: StageClock): Promise<Made> {
    const share = 1 / (1 + others.length);
    let made: Upscaled = await this.#upscaler.upscale(image, first.plan, first.task, clock.span(0, share));
    for (const { task, visibility } of others) {
      const span = clock.span(share, 1);
      const plan = await this.#upscaler.plan(image, task, span); // its network had to make room for the first
      const other = await this.#upscaler.upscale(image, plan, task, span);
      made = blended(made, other, { visibility, folder: task.scratch });
    }
    const encodingFrom = share * (others.length + made.encodingFrom);
    return { ...made, encodingFrom, info: { ...made.info, asked_upscaler: first.task.options.upscaler } };
  }

  async #restoreFaces(
    source: Image,
    enlarged: Made,
    { run, plan, context: shared }: { run: Run; plan: ExtrasPlan; context: ImageContext },
  ): Promise<Made> {
    if (run.restorers.length === 0) return enlarged;
    await this.#upscaler.close(); // one model at a time
    const { task } = plan.passes[0];
    const devices = taskDevices(this.#config, task);
    const step = (ENCODING_FROM - UPSCALING_SHARE) / run.restorers.length;
    let made = enlarged;
    for (const [index, settings] of run.restorers.entries()) {
      const from = UPSCALING_SHARE + index * step;
      const clock = shared.clock.span(from, from + step, { detecting: [0, 0.15], restoring: [0.15, 1] });
      const context = { ...shared, clock, scratch: task.scratch, devices, onRunning: task.onRunning };
      const restored = await this.#faces.restore(rowsOf(source), made.image, settings, context);
      if (restored.image) made.image.dispose();
      made = {
        image: restored.image ?? made.image,
        encodingFrom: ENCODING_FROM,
        info: {
          ...made.info,
          ...restored.info,
          face_models: [...(made.info.face_models ?? []), ...(restored.info.face_models ?? [])],
          fallbacks: [...made.info.fallbacks, ...restored.fallbacks],
          warnings: [...made.info.warnings, ...restored.warnings.map((warning) => `${settings.model}: ${warning}`)],
        },
      };
    }
    return made;
  }
}

/** A restorer that was asked for by name and cannot be had is an error: clients do not read what is told beside a picture. */
function restorersOf({ gfpganVisibility, codeformerVisibility, codeformerWeight }: ExtrasOptions): FaceSettings[] {
  const settings = (model: FaceModelName, strength: number): FaceSettings[] =>
    strength > 0
      ? [
          {
            model,
            strength,
            fidelity: codeformerWeight,
            isStrict: true,
            needsModels: true,
            isAligned: false,
            onlyCenterFace: false,
          },
        ]
      : [];
  return [...settings('gfpgan-1.4', gfpganVisibility), ...settings('codeformer', codeformerVisibility)];
}

function blended(one: Upscaled, other: Upscaled, how: { visibility: number; folder: string }): Upscaled {
  const image = rowsInto(blendRows(one.image, other.image, how.visibility, blendSamplesAsPillow), how.folder);
  one.image.dispose();
  other.image.dispose();
  const { upscaler = '', model, weights_sha256: sha256, warnings, fallbacks } = other.info;
  return {
    image,
    encodingFrom: other.encodingFrom,
    info: {
      ...one.info,
      blended_with: { upscaler, visibility: how.visibility, ...(model !== undefined && { model, sha256 }) },
      fallbacks: [...one.info.fallbacks, ...fallbacks],
      warnings: [...one.info.warnings, ...warnings],
    },
  };
}

function cropped({ width }: Size, made: Made, { region, passes }: ExtrasPlan, { upscale }: Run): Made {
  if (!region) return made;
  const image = rowsInto(croppedRows(made.image, region), upscale.scratch);
  made.image.dispose();
  const output = { width: region.width, height: region.height };
  const scale = Math.round((passes[0].plan.size.width / width) * 1e4) / 1e4;
  return { ...made, image, info: { ...made.info, output, scale } };
}
