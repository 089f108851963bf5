import type { Config } from '../config.ts';
import type { Image, ImageShape } from '../imaging/image.ts';
import { resizedInto } from '../imaging/rows-into.ts';
import { rowsOf } from '../imaging/rows.ts';
import type { ScratchImage } from '../imaging/scratch-image.ts';
import type { FaceCropUpscaler } from './faces/face-crop-upscaler.ts';
import type { FaceContext } from './faces/face-pipeline.ts';
import type { FaceSettings } from '../options/face-options.ts';
import type { FaceRestorer } from './faces/face-restorer.ts';
import type { FacesRestored } from './faces/face-fallback.ts';
import type { FaceOptions } from '../options/face-task-options.ts';
import { backgroundOptions, faceTaskSettings } from '../options/face-task-options.ts';
import { FACE_SIDE } from './faces/align-face.ts';
import type { HiresFixProcessor } from './hires-fix-processor.ts';
import type { ImageContext, TaskRun } from './each-image.ts';
import type { Made, PixelWork } from './process-images.ts';
import { processImages } from './process-images.ts';
import type { Size } from './result.ts';
import { targetSize } from './upscale/target-size.ts';
import { taskDevices } from './networks/task-devices.ts';
import type { FaceTask } from './tasks.ts';

/** Where encoding begins in the progress of an image that is one face. */
const ENCODING_FROM = 0.9;

interface AlignedPlan {
  readonly size: Size;
}

type Shared = Omit<FaceContext, keyof ImageContext>;

type FaceConfig = Pick<
  Config,
  'device' | 'forceCpu' | 'faceRestorationStrength' | 'maxInputPixels' | 'maxOutputPixels' | 'modelFace'
>;

/** Restores the faces in pictures, or (aligned) pictures that show one upright face and nothing else. */
export class FaceProcessor {
  readonly #config: FaceConfig;
  readonly #hiresFix: HiresFixProcessor;
  readonly #faces: FaceRestorer;
  readonly #crops: FaceCropUpscaler;

  constructor(
    config: FaceConfig,
    parts: { hiresFix: HiresFixProcessor; faces: FaceRestorer; crops: FaceCropUpscaler },
  ) {
    this.#config = config;
    this.#hiresFix = parts.hiresFix;
    this.#faces = parts.faces;
    this.#crops = parts.crops;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `processImages` does
   */
  async process(task: FaceTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const { options } = task;
    const settings = faceTaskSettings(options, this.#config);
    if (!options.aligned) {
      const upscale = { ...task, kind: 'hires-fix', options: backgroundOptions(options), faces: settings } as const;
      await this.#hiresFix.process(upscale, run);
      return;
    }
    const devices = taskDevices(this.#config, { ...task, ...rung });
    const shared = { scratch, devices, onRunning: hooks.onRunning.bind(hooks) };
    const work = this.#aligned(options, settings, shared);
    await processImages(task, work, { ...run, maxInputPixels: this.#config.maxInputPixels });
  }

  #aligned(options: FaceOptions, settings: FaceSettings, shared: Shared): PixelWork<AlignedPlan> {
    return {
      plan: async (image, { clock }) => {
        const side = options.size ?? FACE_SIDE;
        const size = targetSize(image, { width: side, height: side }, 1, this.#config.maxOutputPixels);
        if (options.face_model === 'realesrgan') await this.#crops.prepare(settings, clock);
        else await this.#faces.prepare(settings, clock);
        return { plan: { size }, shape: { ...image, ...size } };
      },
      make: (image, { size }, context) => this.#makeAligned(image, size, { options, settings, shared, context }),
    };
  }

  async #makeAligned(
    source: Image,
    size: Size,
    how: { options: FaceOptions; settings: FaceSettings; shared: Shared; context: ImageContext },
  ): Promise<Made> {
    const { options, settings, shared } = how;
    const clock = how.context.clock.span(0, ENCODING_FROM, { restoring: [0, 1] });
    const isCrop = options.face_model === 'realesrgan';
    const at = isCrop ? size : { width: FACE_SIDE, height: FACE_SIDE };
    const background = resizedInto(rowsOf(source), at, shared.scratch);
    const context = { ...shared, ...how.context, clock };
    const restored = isCrop
      ? await this.#crops.restore(rowsOf(source), background, settings, context)
      : await this.#faces.restoreAligned(rowsOf(source), background, settings, context);
    if (restored.image) background.dispose();
    return madeOf(source, finish(restored.image ?? background, size, shared.scratch), restored);
  }
}

function finish(image: ScratchImage, size: Size, folder: string): ScratchImage {
  if (image.width === size.width && image.height === size.height) return image;
  const resized = resizedInto(image, size, folder);
  image.dispose();
  return resized;
}

function madeOf(
  { width, height }: ImageShape,
  image: ScratchImage,
  { info, fallbacks, warnings }: Omit<FacesRestored, 'image'>,
): Made {
  const output = { width: image.width, height: image.height };
  const scale = Math.round((output.width / width) * 1e4) / 1e4;
  return {
    image,
    encodingFrom: ENCODING_FROM,
    info: { ...info, input: { width, height }, output, scale, fallbacks, warnings },
  };
}
