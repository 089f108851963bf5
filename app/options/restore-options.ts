import { z } from 'zod';
import { faceChoiceFields, faceRestorationFields } from './face-options.ts';
import { deviceField } from './upscale-options.ts';
import { autoOr, numberOneOf, oneOf, whole } from './values.ts';

/** What can be done to a picture without changing its size, in the order in which it is done. */
export const RESTORE_STEPS = ['denoise', 'deblur', 'face', 'colorize'] as const;
export type RestoreStep = (typeof RESTORE_STEPS)[number];

/** Names of colouring networks. */
export const COLORIZE_MODELS = [
  'modelscope',
  'paper_tiny',
  'artistic',
  'deoldify-artistic',
  'deoldify-stable',
] as const;
export type ColorizeModel = (typeof COLORIZE_MODELS)[number];

/** A scanned photograph: its faces, then its colours. */
const OLD_PHOTO = 'old-photo';
const OLD_PHOTO_STEPS: readonly RestoreStep[] = ['face', 'colorize'];
const OLD_PHOTO_COLORIZE_MODEL: ColorizeModel = 'deoldify-artistic';
const OLD_PHOTO_FACE_MODEL = 'codeformer';

const STEP_NAMES: readonly string[] = [...RESTORE_STEPS, OLD_PHOTO];
const STEPS_LIST = `must be a comma-separated list of ${STEP_NAMES.join(', ')}`;

/** What a caller may ask of colouring, under the names of the form fields (`POST /colorize`). */
export const colorizeOptions = z.object({
  colorize_model: oneOf(COLORIZE_MODELS)
    .optional()
    .describe('A DDColor (modelscope, paper_tiny, artistic) or a DeOldify; by default, the one MODEL_COLORIZE names'),
  render_factor: whole(7, 45)
    .default(35)
    .describe('DeOldify only: colours are predicted on a square of 16 times this many pixels a side'),
  device: deviceField(),
});

/** What a caller may ask of a restoration (`POST /restore`): its steps, and the options of each. */
export const restoreOptions = colorizeOptions.extend({
  ...faceRestorationFields,
  ...faceChoiceFields,
  steps: z
    .string({ error: STEPS_LIST })
    .transform((text, context) => {
      const names = text.split(',').map((name) => name.trim().toLowerCase());
      if (names.every((name) => STEP_NAMES.includes(name))) return names;
      context.addIssue(STEPS_LIST);
      return z.NEVER;
    })
    .optional()
    .describe(`A comma-separated list of ${STEP_NAMES.join(', ')}; by default, the step MODEL_RESTORE names`)
    .meta({ examples: ['denoise,face', OLD_PHOTO] }),
  tile: autoOr(whole(0)).optional().describe('Tile side, in pixels; 0: the whole image at once; by default, TILE'),
  scale: numberOneOf([1], 'must be 1: a restoration does not change the size').optional(),
});

export type RestoreOptions = z.output<typeof restoreOptions>;

/**
 * What is to be done, from what was asked.
 * @param standard what is done where `steps` was not given
 */
export function restorePlan(
  options: RestoreOptions,
  standard: RestoreStep,
): { readonly steps: readonly RestoreStep[]; readonly options: RestoreOptions } {
  const asked = options.steps ?? [standard];
  const isOldPhoto = asked.includes(OLD_PHOTO);
  const wanted = new Set(isOldPhoto ? [...asked, ...OLD_PHOTO_STEPS] : asked);
  const model = options.colorize_model ?? (isOldPhoto ? OLD_PHOTO_COLORIZE_MODEL : undefined);
  const faceModel = options.face_model ?? (isOldPhoto ? OLD_PHOTO_FACE_MODEL : undefined);
  return {
    steps: RESTORE_STEPS.filter((step) => wanted.has(step)),
    options: { ...options, colorize_model: model, face_model: faceModel },
  };
}
