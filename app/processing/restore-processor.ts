import type { Config } from '../config.ts';
import type { Image, ImageShape } from '../imaging/image.ts';
import type { RowSource } from '../imaging/rows.ts';
import { rowsOf } from '../imaging/rows.ts';
import { ScratchImage } from '../imaging/scratch-image.ts';
import type { StepContext, StepResult } from './restore/image-step.ts';
import type { ImageSteps } from './restore/restore-steps.ts';
import { visibleRows } from '../imaging/visible-colors.ts';
import { ModelSlot } from './networks/model-slot.ts';
import type { ImageContext, TaskRun } from './each-image.ts';
import type { Made, PixelWork } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { RestoreStep } from '../options/restore-options.ts';
import type { Fallback, StepInfo } from './result.ts';
import type { StageShares } from './stage-clock.ts';
import { targetSize } from './upscale/target-size.ts';
import { taskDevices } from './networks/task-devices.ts';
import type { RestoreTask } from './tasks.ts';

/** Share of an image's progress that is spent encoding. */
const ENCODING_SHARE = 0.04;
/** Which part of its progress each stage of a step fills. A step has only some of them, so the parts may overlap. */
const STEP_STAGES: StageShares = {
  loading: [0, 0.05],
  detecting: [0.05, 0.15],
  restoring: [0.05, 1],
  colorizing: [0.05, 1],
};

type RestoreConfig = Pick<Config, 'device' | 'forceCpu' | 'maxInputPixels' | 'maxOutputPixels' | 'modelKeepAliveMs'>;

/** Restores every image of a task by its steps, one after another at the image's own size, with one model loaded at a time. */
export class RestoreProcessor {
  readonly #config: RestoreConfig;
  readonly #steps: ImageSteps;
  readonly #slot: ModelSlot;

  /** @param slot where a step's network is, which may be there from the task before */
  constructor(config: RestoreConfig, steps: ImageSteps, slot = new ModelSlot()) {
    this.#config = config;
    this.#steps = steps;
    this.#slot = slot;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `processImages` does
   */
  async process(task: RestoreTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const { maxInputPixels, modelKeepAliveMs } = this.#config;
    const keepsModel = modelKeepAliveMs > 0;
    const context = {
      options: task.options,
      isBatch: task.images.length > 1 || keepsModel,
      scratch,
      devices: taskDevices(this.#config, { ...task, ...rung }),
      maxTile: rung.maxTile,
      slot: this.#slot,
      onRunning: (on) => hooks.onRunning(on),
    } satisfies Omit<StepContext, keyof ImageContext>;
    await processImages(task, this.#work(task.steps, context), { ...run, maxInputPixels });
    // The last of several is of no use to a task that begins with the first.
    if (!keepsModel || task.steps.length > 1) await this.#slot.clear();
  }

  #work(names: readonly RestoreStep[], shared: Omit<StepContext, keyof ImageContext>): PixelWork<undefined> {
    return {
      plan: async (image, context) => {
        const size = targetSize(image, {}, 1, this.#config.maxOutputPixels);
        for (const name of names) await this.#steps[name].prepare({ ...shared, ...context });
        const shape = names.reduce((from: ImageShape, name) => this.#steps[name].shapeOf(from), { ...image, ...size });
        return { plan: undefined, shape };
      },
      make: (image, _plan, context) => this.#run(names, image, { ...shared, ...context }),
    };
  }

  async #run(names: readonly RestoreStep[], input: Image, context: StepContext): Promise<Made> {
    const { clock, options } = context;
    const steps: StepInfo[] = [];
    const fallbacks: Fallback[] = [];
    const warnings: string[] = [];
    let source: RowSource | ScratchImage = visibleRows(rowsOf(input));
    for (const [index, name] of names.entries()) {
      const part = (1 - ENCODING_SHARE) / names.length;
      const step = { ...context, clock: clock.span(index * part, (index + 1) * part, STEP_STAGES) };
      const before: RowSource | ScratchImage = source;
      const start = performance.now();
      const result: StepResult = await clock.time(name, () => this.#steps[name].run(before, step));
      const seconds = Math.round(performance.now() - start) / 1000;
      if (before instanceof ScratchImage) before.dispose();
      steps.push({ step: name, ...result.info, seconds });
      fallbacks.push(...result.fallbacks);
      warnings.push(...result.warnings.map((warning) => `${name}: ${warning}`));
      source = result.image;
    }
    if (!(source instanceof ScratchImage)) throw new RangeError('a restoration has at least one step');
    const size = { width: input.width, height: input.height };
    const told = { fallbacks, warnings, scale: 1, input: size, output: size };
    const device = [...new Set(steps.flatMap((step) => step.device ?? []))].join(', ');
    return {
      image: source,
      encodingFrom: 1 - ENCODING_SHARE,
      info: { steps, ...told, device_asked: options.device ?? this.#config.device, device, precision: 'fp32' },
    };
  }
}
