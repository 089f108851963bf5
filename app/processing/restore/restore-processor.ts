import type { Config } from '../../config.ts';
import type { Image, ImageShape } from '../../imaging/image.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import type { ImageStep, StepContext, StepResult } from './image-step.ts';
import { ModelSlot } from '../networks/model-slot.ts';
import type { Made, PixelWork, TaskRun } from '../process-images.ts';
import { processImages } from '../process-images.ts';
import type { RestoreStep } from '../../options/restore-options.ts';
import type { Fallback, StepInfo } from '../result.ts';
import type { StageClock } from '../stage-clock.ts';
import { targetSize } from '../upscale/target-size.ts';
import { taskDevices } from '../networks/task-devices.ts';
import type { RestoreTask } from '../tasks.ts';

/** What a step is done by. */
export type ImageSteps = Readonly<Record<RestoreStep, ImageStep>>;

/** What of an image's progress is encoding. */
const ENCODING_SHARE = 0.04;
/** What of a step's progress is loading its network. */
const LOADING_SHARE = 0.05;

/** What of a step's progress is finding faces, where it does that. */
const DETECTING_SHARE = 0.1;

/** Restores every image of a task by its steps, one after another at the image's own size, with one model loaded at a time. */
export class RestoreProcessor {
  readonly #config: Config;
  readonly #steps: ImageSteps;

  constructor(config: Config, steps: ImageSteps) {
    this.#config = config;
    this.#steps = steps;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `processImages` does
   */
  async process(task: RestoreTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const slot = new ModelSlot();
    const { maxInputPixels } = this.#config;
    const context = {
      options: task.options,
      isBatch: task.images.length > 1,
      scratch,
      devices: taskDevices(this.#config, { ...task, ...rung }),
      maxTile: rung.maxTile,
      slot,
      onRunning: (on) => hooks.onRunning(on),
      withoutFaces: rung.withoutFaces ?? [],
    } satisfies Omit<StepContext, 'clock'>;
    await processImages(task, this.#work(task.steps, context), { ...run, maxInputPixels });
    await slot.clear();
  }

  #work(names: readonly RestoreStep[], shared: Omit<StepContext, 'clock'>): PixelWork<undefined> {
    return {
      plan: async (image, clock) => {
        const size = targetSize(image, {}, 1, this.#config.maxOutputPixels);
        for (const name of names) await this.#steps[name].prepare({ ...shared, clock });
        const shape = names.reduce((from: ImageShape, name) => this.#steps[name].shapeOf(from), { ...image, ...size });
        return { plan: undefined, shape };
      },
      make: (image, _plan, clock) => this.#run(names, image, { ...shared, clock }),
    };
  }

  async #run(names: readonly RestoreStep[], input: Image, context: StepContext): Promise<Made> {
    const { clock, options } = context;
    const steps: StepInfo[] = [];
    const fallbacks: Fallback[] = [];
    const warnings: string[] = [];
    let source: RowSource | ScratchImage = rowsOf(input);
    for (const [index, name] of names.entries()) {
      shareOut(clock, index, names.length);
      const before: RowSource | ScratchImage = source;
      const start = performance.now();
      const result: StepResult = await clock.time(name, () => this.#steps[name].run(before, context));
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
      info: { steps, ...told, device_asked: options.device ?? this.#config.device, device, precision: 'fp32' },
    };
  }
}

/** Gives the stages the part of the whole that is this step's. */
function shareOut(clock: StageClock, index: number, count: number): void {
  const part = (1 - ENCODING_SHARE) / count;
  const [from, to] = [index * part, (index + 1) * part];
  const work = [from + LOADING_SHARE * part, to] as const;
  clock.shares = {
    loading: [from, work[0]],
    detecting: [work[0], work[0] + DETECTING_SHARE * part],
    restoring: work,
    colorizing: work,
    encoding: [1 - ENCODING_SHARE, 1],
  };
}
