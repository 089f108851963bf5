import { z } from 'zod';
import { flag, fraction, oneOf, whole } from './values.ts';

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
  face_model: oneOf(FACE_MODELS).optional().describe('Face restorer'),
  face_restoration_strength: fraction()
    .optional()
    .describe('How much of the restored face shows: 0 leaves it as it was; by default, FACE_RESTORATION_STRENGTH'),
  fidelity: fraction()
    .optional()
    .describe('CodeFormer only: 0 is the best-looking face, 1 the most faithful; 0.5 by default'),
} as const;

/** Which faces are restored, where they are what is asked for, and what it means that they cannot be. */
export const faceChoiceFields = {
  only_center_face: flag().optional().describe('Whether to restore only the face nearest the centre'),
  faces: faceNumbers().optional().describe('Which faces to restore, by the numbers that POST /faces gives them: 0,2'),
  min_face_size: whole(0).optional().describe('Faces smaller than this many pixels are left as they are'),
  strict: flag()
    .optional()
    .describe(
      'true: any failure to restore faces is an error; false: none is, the result only reports it; by default, only a missing model is',
    ),
} as const;

/** What an upscale may be asked to do about faces. */
export const faceEnhanceFields = {
  is_face_enhance: flag().optional().describe('Whether to restore faces; by default, IS_FACE_ENHANCE'),
  ...faceRestorationFields,
  strict: flag()
    .optional()
    .describe('Whether a failure to restore faces is an error; by default, the result only reports it'),
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
  /** Whether a model that is missing is an error, whatever becomes of a step that fails otherwise. */
  readonly needsModels: boolean;
  /** Whether the picture is one face, cut out upright: then none is looked for. */
  readonly isAligned: boolean;
  readonly onlyCenterFace: boolean;
  /** Numbers in the list of faces found, from 0; all of them where it is left out. */
  readonly faces?: readonly number[] | undefined;
  /** Least side of a face's box, in pixels of the picture. */
  readonly minFaceSize?: number | undefined;
}

type FaceFields = Readonly<z.output<z.ZodObject<typeof faceRestorationFields>>>;
type ChoiceFields = Readonly<Partial<z.output<z.ZodObject<typeof faceChoiceFields>>>>;

/** Settings of a request for something else, an upscale, that has its faces restored as well: it does without a missing model. */
export function faceSettings(
  { face_model: model = 'gfpgan', face_restoration_strength: strength, fidelity, ...choice }: FaceFields & ChoiceFields,
  config: { readonly faceRestorationStrength: number },
): FaceSettings {
  return {
    model: CATALOGUE_NAMES[model],
    strength: strength ?? config.faceRestorationStrength,
    fidelity: fidelity ?? DEFAULT_FIDELITY,
    isStrict: choice.strict ?? false,
    needsModels: choice.strict ?? false,
    isAligned: false,
    onlyCenterFace: choice.only_center_face ?? false,
    faces: choice.faces,
    minFaceSize: choice.min_face_size,
  };
}

/** The same where the request, or else the service, wants faces restored; undefined where they are left as they are. */
export function upscaleFaceSettings(
  {
    is_face_enhance: isAsked,
    ...fields
  }: FaceFields & ChoiceFields & { readonly is_face_enhance?: boolean | undefined },
  config: { readonly faceRestorationStrength: number; readonly isFaceEnhance: boolean },
): FaceSettings | undefined {
  return (isAsked ?? config.isFaceEnhance) ? faceSettings(fields, config) : undefined;
}

/** Settings of a request whose job the faces are: a missing model is an error unless `strict` is false. */
export function faceJobSettings(
  fields: FaceFields & ChoiceFields,
  config: { readonly faceRestorationStrength: number; readonly modelFace: FaceModelName },
): FaceSettings {
  const settings = faceSettings(fields, config);
  const model = fields.face_model === undefined ? config.modelFace : settings.model;
  return { ...settings, model, needsModels: fields.strict ?? true };
}

function faceNumbers() {
  const error = 'must be whole numbers from 0, comma-separated';
  const text = z
    .string({ error })
    .regex(/^\s*\d{1,6}(\s*,\s*\d{1,6})*\s*$/, { error, abort: true })
    .transform((numbers) => numbers.split(',').map(Number));
  return z.union([z.array(z.int().min(0)), text], { error });
}
