import { basename } from 'node:path';
import { blendRows } from '../../imaging/blend.ts';
import { resizedInto, rowsInto } from '../../imaging/rows-into.ts';
import type { RowSource } from '../../imaging/rows.ts';
import type { ScratchImage } from '../../imaging/scratch-image.ts';
import type { FaceContext } from './face-pipeline.ts';
import type { FacesRestored } from './face-fallback.ts';
import { orWithoutFaces } from './face-fallback.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import { RealESRGANUpscaler } from '../upscale/real-esrgan-upscaler.ts';
import type { FaceModelUse, Fallback } from '../result.ts';
import type { StageClock } from '../stage-clock.ts';

const MODEL = 'realesrgan-x4plus';
/** Crops are at least this wide and high when the network sees them, in pixels. */
const MIN_SIDE = 512;
/** The whole crop at once, as face pipelines have it. */
const UNTILED = { tile: 0, tilePad: 'auto', prePad: 0, isOpaque: false } as const;

export interface CropSettings {
  /** 0..1 */
  readonly strength: number;
  readonly isStrict: boolean;
  readonly needsModels: boolean;
}

interface Enlarging {
  readonly context: FaceContext;
  /** What is to be told of it, which grows. */
  readonly used: FaceModelUse[];
  readonly fallbacks: Fallback[];
  readonly warnings: string[];
}

/**
 * The face-crop mode of face pipelines: a crop is brought to size by LANCZOS, enlarged by Real-ESRGAN x4, reduced by LANCZOS, and
 * blended with what LANCZOS alone makes of it.
 */
export class FaceCropUpscaler {
  readonly #models: ModelFetcher;

  constructor(models: ModelFetcher) {
    this.#models = models;
  }

  /** Fetches the weights. @throws ModelUnavailableError if the settings need them; else it becomes a fallback later */
  async prepare({ needsModels }: CropSettings, clock: StageClock): Promise<void> {
    try {
      await this.#models.file(MODEL, clock);
    } catch (error) {
      if (needsModels) throw error; // else `restore` meets the same error, and reports a fallback
    }
  }

  /**
   * @param source the crop
   * @param background the same by LANCZOS in the size of the result
   * @throws the errors of the network and its weights if the settings are strict; ScratchSpaceError
   */
  async restore(
    source: RowSource,
    background: RowSource,
    { strength, isStrict }: CropSettings,
    context: FaceContext,
  ): Promise<FacesRestored> {
    const used: FaceModelUse[] = [];
    const fallbacks: Fallback[] = [];
    const warnings: string[] = [];
    const info = (restored: number) => ({
      face_model: 'realesrgan',
      faces_found: 1,
      faces_restored: restored,
      face_restoration_strength: strength,
      face_models: used,
    });
    const told = () => ({ info: info(0), fallbacks });
    return orWithoutFaces({ model: MODEL, without: 'LANCZOS', isStrict, told }, context, async () => {
      const enlarged = await this.#enlarge(source, background, { context, used, fallbacks, warnings });
      try {
        const image = rowsInto(blendRows(background, enlarged, strength), context.scratch);
        return { image, info: info(1), fallbacks, warnings };
      } finally {
        enlarged.dispose();
      }
    });
  }

  /** @returns the crop in the size of the background */
  async #enlarge(
    source: RowSource,
    { width, height }: RowSource,
    { context, used, fallbacks, warnings }: Enlarging,
  ): Promise<ScratchImage> {
    const { scratch, clock, devices } = context;
    const file = await this.#models.file(MODEL, clock);
    const side = (pixels: number): number => Math.max(MIN_SIDE, pixels);
    const input = resizedInto(source, { width: side(width), height: side(height) }, scratch);
    const network = await RealESRGANUpscaler.open({ file }, { devices, isBatch: false });
    try {
      await clock.time('load', () => network.load(input, UNTILED));
      const large = await clock.time('restore', () =>
        network.upscale(input, scratch, UNTILED, (done, all) => clock.at('restoring', done / all)),
      );
      used.push({ model: basename(file), sha256: await this.#models.sha256(file), device: network.device });
      try {
        return resizedInto(large.image, { width, height }, scratch);
      } finally {
        large.image.dispose();
      }
    } finally {
      fallbacks.push(...network.fallbacks);
      warnings.push(...network.warnings);
      await network.close();
      input.dispose();
    }
  }
}
