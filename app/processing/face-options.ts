import { z } from 'zod';
import type { Config } from '../config.ts';
import { flag, fraction } from './number-fields.ts';

/** Networks that restore faces, as requests name them. */
export const FACE_MODELS = ['gfpgan', 'codeformer', 'restoreformer'] as const;
type FaceModel = (typeof FACE_MODELS)[number];

/** Catalogue names of the same. */
export type FaceModelName = 'gfpgan-1.3' | 'gfpgan-1.4' | 'codeformer' | 'restoreformer';

const CATALOGUE_NAMES: Readonly<Record<FaceModel, FaceModelName>> = {
  gfpgan: 'gfpgan-1.4',
  codeformer: 'codeformer',
  restoreformer: 'restoreformer',
};

const DEFAULT_FIDELITY = 0.5;

/** How faces are restored, under the names of the form fields. */
export const faceRestorationFields = {
  face_model: z.enum(FACE_MODELS, { error: `face_model must be ${FACE_MODELS.join(', ')}` }).optional(),
  face_restoration_strength: fraction('face_restoration_strength')
    .optional()
    .describe('How much of the restored face shows: 0 is the face as it was'),
  fidelity: fraction('fidelity')
    .optional()
    .describe('CodeFormer only: 0 is the best looking face, 1 the most like the one given; 0.5 without'),
} as const;

/** What an upscale may be asked to do about faces. */
export const faceEnhanceFields = {
  is_face_enhance: flag('is_face_enhance').optional().describe('Whether faces are restored'),
  ...faceRestorationFields,
} as const;

/** How the faces of a picture are restored, once all that was not asked for is known. */
export interface FaceSettings {
  /** Catalogue name. */
  readonly model: FaceModelName;
  /** 0..1 */
  readonly strength: number;
  /** 0..1; CodeFormer only. */
  readonly fidelity: number;
  /** Whether a face step that fails is an error, and not told as a fallback. */
  readonly isStrict: boolean;
  /** Whether the picture is one face, cut out upright: then none is looked for. */
  readonly isAligned: boolean;
  readonly onlyCenterFace: boolean;
  /** Numbers in the list of faces found, from 0; all of them where it is left out. */
  readonly faces?: readonly number[] | undefined;
  /** Least side of a face's box, in pixels of the picture. */
  readonly minFaceSize?: number | undefined;
}

type FaceFields = Readonly<z.output<z.ZodObject<typeof faceRestorationFields>>>;

/**
 * Settings of a request.
 * @param standard the model where none was asked for
 */
export function faceSettings(
  { face_model: model, face_restoration_strength: strength, fidelity }: FaceFields,
  config: Pick<Config, 'faceRestorationStrength'>,
  standard: FaceModelName = CATALOGUE_NAMES.gfpgan,
): FaceSettings {
  return {
    model: model === undefined ? standard : CATALOGUE_NAMES[model],
    strength: strength ?? config.faceRestorationStrength,
    fidelity: fidelity ?? DEFAULT_FIDELITY,
    isStrict: false,
    isAligned: false,
    onlyCenterFace: false,
  };
}
