import type { WarpSource } from '../../imaging/opencv/affine-warp.ts';
import type { Image } from '../../imaging/image.ts';
import { resizeLinear } from '../../imaging/opencv/resize-linear.ts';
import { rgbRows } from '../../imaging/rgb-rows.ts';
import { rowsInto } from '../../imaging/rows-into.ts';
import type { RowSource } from '../../imaging/rows.ts';
import type { ScratchImage } from '../../imaging/scratch-image.ts';
import { visibleRows } from '../../imaging/visible-colors.ts';
import type { FaceContext } from './face-pipeline.ts';
import { DETECTOR, FacePipeline, PARSER } from './face-pipeline.ts';
import type { FaceModelName, FaceSettings } from '../../options/face-options.ts';
import type { FacesRestored } from './face-fallback.ts';
import { orWithoutFaces } from './face-fallback.ts';
import type { AlignedFace } from './align-face.ts';
import { alignFace, FACE_SIDE, placementOf } from './align-face.ts';
import type { FaceLayer } from './face-layer.ts';
import { faceLayer } from './face-layer.ts';
import { parsedMask } from './face-mask.ts';
import type { FaceProfile } from './face-profiles.ts';
import { FACE_PROFILES, workingPicture } from './face-profiles.ts';
import type { Face } from './face.ts';
import { scaleFace } from './face.ts';
import { grayFace, isGray } from './gray-face.ts';
import { pasteFaces } from './paste-faces.ts';
import { chooseFaces, restorableFaces } from './select-faces.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import type { FaceInfo, FaceModelUse, Size } from '../result.ts';
import type { StageClock } from '../stage-clock.ts';

/** A picture in the form that a pipeline takes. */
interface Subject {
  /** 8-bit RGB. */
  readonly picture: Image;
  /** Its size before it was enlarged for the pipeline. */
  readonly size: Size;
  readonly profile: FaceProfile;
  readonly isGray: boolean;
}

/** The faces found in a picture, and the record of what found them. */
interface FacesFound extends Pick<FacesRestored, 'info' | 'fallbacks'> {
  readonly faces: readonly Face[];
}

const STRENGTH_0 = 'face_restoration_strength is 0: faces are left as they are';

/**
 * Restores the faces of pictures as GFPGAN and CodeFormer do: finds them in the picture, cuts them out upright, restores them,
 * and blends them into the background, which is the same picture at any scale and by any upscaler. One model is loaded at a time.
 */
export class FaceRestorer {
  readonly #models: ModelFetcher;

  constructor(models: ModelFetcher) {
    this.#models = models;
  }

  /** Fetches the weights. @throws ModelUnavailableError if the settings need them; else it becomes a fallback later */
  async prepare(settings: FaceSettings, clock: StageClock): Promise<void> {
    if (settings.strength === 0) return;
    try {
      await this.#fetch(modelsOf(settings), clock);
    } catch (error) {
      if (settings.needsModels) throw error; // else `restore` meets the same error, and reports a fallback
    }
  }

  /**
   * The faces of a picture that `model` could restore, the surest first, in its pixels; in the order of `FaceSettings.faces`.
   * @throws ModelUnavailableError, and what the detector or its weights throw
   */
  async find(source: RowSource, model: FaceModelName, context: FaceContext): Promise<FacesFound> {
    const pipeline = new FacePipeline(this.#models, context);
    context.onRunning({ device: context.devices[0] ?? 'cpu', tile: 0, side: 0 });
    const faces = await findFaces(subjectOf(source, model), pipeline);
    const info = { face_model: model, faces_found: faces.length, face_models: pipeline.used };
    return { faces, info, fallbacks: pipeline.fallbacks };
  }

  /**
   * @param source the picture before it was upscaled
   * @param background the same picture, upscaled
   * @throws what a network or its weights throw, where the settings are strict; ScratchSpaceError
   */
  async restore(
    source: RowSource,
    background: RowSource,
    settings: FaceSettings,
    context: FaceContext,
  ): Promise<FacesRestored> {
    const info = { face_model: settings.model, faces_found: 0, faces_restored: 0, face_models: [] };
    if (settings.strength === 0) return unchanged(info, STRENGTH_0);
    const pipeline = new FacePipeline(this.#models, context);
    const { model, isStrict } = settings;
    const told = () => ({ info: { ...info, face_models: pipeline.used }, fallbacks: pipeline.fallbacks });
    return orWithoutFaces({ model, without: 'no face restoration', isStrict, told }, context, async () => {
      await this.#fetch(modelsOf(settings), context.clock);
      return restoreFaces({ source, background, settings, context, pipeline });
    });
  }

  /**
   * A picture that is one face, upright: it is resized to what restorers take, unless it has that size, and restored.
   * @param background the same picture at that size
   */
  async restoreAligned(
    source: RowSource,
    background: RowSource,
    settings: FaceSettings,
    context: FaceContext,
  ): Promise<FacesRestored> {
    const pipeline = new FacePipeline(this.#models, context);
    const { model, isStrict, strength } = settings;
    const told = () => ({ info: infoOf(settings, 1, 0, pipeline.used), fallbacks: pipeline.fallbacks });
    if (strength === 0) return unchanged(told().info, STRENGTH_0);
    return orWithoutFaces({ model, without: 'LANCZOS', isStrict, told }, context, async () => {
      const { picture, profile, isGray: isGrayFace } = subjectOf(source, model);
      const crop = resizeLinear(picture, FACE_SIDE, FACE_SIDE);
      const [face = crop] = await pipeline.restore([crop], settings);
      const toned = profile.tonesGray && isGrayFace ? grayFace(face, crop) : { ...face, data: bytesOf(face) };
      const image = paste(background, [wholeLayer(toned)], strength, context);
      return {
        image,
        info: infoOf(settings, 1, 1, pipeline.used),
        fallbacks: pipeline.fallbacks,
        warnings: pipeline.warnings,
      };
    });
  }

  async #fetch(names: readonly string[], clock: StageClock): Promise<void> {
    for (const name of names) await this.#models.file(name, clock);
  }
}

/** A layer that covers all of an aligned face. */
function wholeLayer({ data }: WarpSource): FaceLayer {
  return {
    region: { x: 0, y: 0, width: FACE_SIDE, height: FACE_SIDE },
    blendRow(y, row, unit) {
      for (let i = 0; i < row.length; i++) row[i] = unit * (data[y * row.length + i] ?? 0);
    },
  };
}

function modelsOf({ model, isAligned }: FaceSettings): readonly string[] {
  return isAligned ? [model] : [DETECTOR, model, PARSER];
}

interface Work {
  readonly source: RowSource;
  readonly background: RowSource;
  readonly settings: FaceSettings;
  readonly context: FaceContext;
  readonly pipeline: FacePipeline;
}

async function restoreFaces({ source, background, settings, context, pipeline }: Work): Promise<FacesRestored> {
  const { clock } = context;
  const subject = subjectOf(source, settings.model);
  const found = await findFaces(subject, pipeline);
  const chosen = chooseFaces(found, settings, subject.size);
  const told = (restored: number): FaceInfo => infoOf(settings, found.length, restored, pipeline.used);
  if (chosen.length === 0) {
    const why = found.length === 0 ? 'no face was found' : `none of the ${found.length} faces found was chosen`;
    return { ...unchanged(told(0), `${why}: the picture has no face restored`), fallbacks: pipeline.fallbacks };
  }
  const layers = await restoredLayers(alignFaces(subject, chosen), { subject, background, settings, pipeline });
  const image = await clock.time('restore', () => paste(background, layers, settings.strength, context));
  return { image, info: told(layers.length), fallbacks: pipeline.fallbacks, warnings: pipeline.warnings };
}

async function findFaces({ picture, size, profile }: Subject, pipeline: FacePipeline): Promise<Face[]> {
  const faces = restorableFaces(await pipeline.detect(picture, profile));
  return faces.map((face) => scaleFace(face, size.width / picture.width, size.height / picture.height));
}

function alignFaces({ picture, size }: Subject, faces: readonly Face[]): AlignedFace[] {
  return faces.flatMap((face) => {
    const { landmarks } = scaleFace(face, picture.width / size.width, picture.height / size.height);
    return alignFace(picture, landmarks) ?? [];
  });
}

async function restoredLayers(
  aligned: readonly AlignedFace[],
  how: Pick<Work, 'background' | 'settings' | 'pipeline'> & { readonly subject: Subject },
): Promise<FaceLayer[]> {
  const { background, settings, pipeline, subject } = how;
  const { picture, profile } = subject;
  const crops = aligned.map(({ crop }) => crop);
  const restored = await pipeline.restore(crops, settings);
  const labels = await pipeline.parse(restored);
  const [scaleX, scaleY] = [background.width / picture.width, background.height / picture.height];
  return aligned.flatMap(({ matrix, crop }, index) => {
    const [image, label] = [restored[index], labels[index]];
    if (!image || !label) return [];
    const face = profile.tonesGray && subject.isGray ? grayFace(image, crop) : { ...image, data: bytesOf(image) };
    const placement = placementOf(matrix, scaleX, scaleY);
    const pasted = { face, placement, mask: parsedMask(label), isBoundBySquare: profile.isBoundBySquare };
    return faceLayer(pasted, background, Math.sqrt(scaleX * scaleY)) ?? [];
  });
}

function paste(
  background: RowSource,
  layers: readonly FaceLayer[],
  strength: number,
  { scratch, clock }: FaceContext,
): ScratchImage {
  const image = rowsInto(pasteFaces(background, layers, strength), scratch);
  clock.at('restoring', 1);
  return image;
}

function subjectOf(source: RowSource, model: FaceModelName): Subject {
  const profile: FaceProfile = model === 'codeformer' ? FACE_PROFILES.codeformer : FACE_PROFILES.facexlib;
  const { width, height } = source;
  const data = rgbRows(visibleRows(source), 8).readRows(0, height);
  const whole: Image = { width, height, channels: 3, depth: 8, data };
  const size = { width, height };
  return { picture: workingPicture(whole, profile), size, profile, isGray: profile.tonesGray && isGray(whole) };
}

function infoOf(
  { model, fidelity, strength }: FaceSettings,
  found: number,
  restored: number,
  used: readonly FaceModelUse[],
): FaceInfo {
  return {
    face_model: model,
    faces_found: found,
    faces_restored: restored,
    face_restoration_strength: strength,
    ...(model === 'codeformer' && { fidelity }),
    face_models: used,
  };
}

function unchanged(info: FaceInfo, warning: string): FacesRestored {
  return { info, fallbacks: [], warnings: [warning] };
}

function bytesOf({ data }: Image): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw new RangeError('restored faces have 8 bits');
}
