import type { Config } from '../../config.ts';
import type { ImageShape } from '../../imaging/image.ts';
import { rowsInto } from '../../imaging/rows-into.ts';
import type { RowSource } from '../../imaging/rows.ts';
import type { FaceSettings } from '../../options/face-options.ts';
import { faceJobSettings } from '../../options/face-options.ts';
import type { FaceRestorer } from '../faces/face-restorer.ts';
import type { ImageStep, StepContext, StepResult } from './image-step.ts';

/** Restores the faces of a picture at its own size, as a step of a restoration. */
export class FaceRestoreStep implements ImageStep {
  readonly #config: Pick<Config, 'faceRestorationStrength' | 'modelFace'>;
  readonly #faces: FaceRestorer;

  constructor(config: Pick<Config, 'faceRestorationStrength' | 'modelFace'>, faces: FaceRestorer) {
    this.#config = config;
    this.#faces = faces;
  }

  async prepare({ clock, options }: Pick<StepContext, 'clock' | 'options'>): Promise<void> {
    await this.#faces.prepare(this.#settings({ options }), clock);
  }

  shapeOf(source: ImageShape): ImageShape {
    return source;
  }

  async run(source: RowSource, context: StepContext): Promise<StepResult> {
    await context.slot.clear(); // one model at a time
    const settings = this.#settings(context);
    const { image, info, fallbacks, warnings } = await this.#faces.restore(source, source, settings, context);
    const { face_models: models = [] } = info;
    return {
      image: image ?? rowsInto(source, context.scratch),
      info: { model: settings.model, ...(models[0] && { device: models[0].device }), ...info },
      fallbacks,
      warnings,
    };
  }

  #settings({ options }: Pick<StepContext, 'options'>): FaceSettings {
    return faceJobSettings(options, this.#config);
  }
}
