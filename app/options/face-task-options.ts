import { z } from 'zod';
import type { FaceModelName, FaceSettings } from './face-options.ts';
import { FACE_MODELS, faceChoiceFields, faceJobSettings, faceRestorationFields } from './face-options.ts';
import type { UpscaleOptions } from './upscale-options.ts';
import { deviceField, upscaleOptions } from './upscale-options.ts';
import { autoOr, flag, numberAbove, oneOf, text, whole } from './values.ts';

/** What `face` takes beside the networks that restore: Real-ESRGAN, for crops. */
export const FACE_TASK_MODELS = [...FACE_MODELS, 'realesrgan'] as const;

/** What a caller may ask of `POST /face` and `hiresfix face`. */
export const faceOptions = z
  .object({
    ...faceRestorationFields,
    face_model: oneOf(FACE_TASK_MODELS)
      .optional()
      .describe('Face restorer; by default, the one MODEL_FACE names. realesrgan takes aligned faces only'),
    ...faceChoiceFields,
    aligned: flag().default(false).describe('Whether the image is a single face, cropped and upright'),
    face_upscale: numberAbove(0).default(1).describe('How many times larger than the image the result is'),
    size: whole(1).optional().describe('Only with aligned: width and height of the result; 512 by default'),
    upscaler: text(255)
      .optional()
      .describe('What enlarges the image around the faces; by default, LANCZOS at face_upscale=1, else AUTO'),
    tile: autoOr(whole(0))
      .optional()
      .describe('Tile side for that upscaler, in pixels; 0: the whole image at once; by default, TILE'),
    device: deviceField(),
  })
  .check(({ value, issues }) => {
    const { size, aligned, face_model: model } = value;
    if (size !== undefined && !aligned) issues.push(issueOf('size', 'must go with aligned=true', size));
    if (model === 'realesrgan' && !aligned)
      issues.push(issueOf('face_model', 'must go with aligned=true where it is realesrgan', model));
  });

export type FaceOptions = z.output<typeof faceOptions>;

/** Settings of a request for faces. */
export function faceTaskSettings(
  options: FaceOptions,
  config: { readonly faceRestorationStrength: number; readonly modelFace: FaceModelName },
): FaceSettings {
  const { face_model: model, ...rest } = options;
  const fields = { ...rest, face_model: model === 'realesrgan' ? undefined : model };
  return { ...faceJobSettings(fields, config), isAligned: options.aligned };
}

/** How the picture around the faces is made: kept as it is, unless it is to be enlarged. */
export function backgroundOptions({ upscaler, face_upscale: scale, tile, device }: FaceOptions): UpscaleOptions {
  const standard = scale === 1 ? 'LANCZOS' : 'AUTO';
  return { ...upscaleOptions.parse({ upscaler: upscaler ?? standard, scale }), tile, device };
}

function issueOf(name: string, message: string, input: unknown) {
  return { code: 'custom' as const, path: [name], message, input };
}
