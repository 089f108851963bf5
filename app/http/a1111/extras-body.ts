import { z } from 'zod';
import type { ExtrasOptions, ExtrasSize } from '../../options/extras-options.ts';
import { correctionFields } from '../../options/upscale-options.ts';
import { flag, fraction, numberAbove, numberOneOf, whole } from '../../options/values.ts';
import type { RouteContext } from '../routes/route-context.ts';
import { extrasText } from './extras-text.ts';
import type { OfferedUpscaler } from './upscaler-names.ts';
import { NONE, upscalerNamed } from './upscaler-names.ts';

const DEFAULT_FACTOR = 2;
const DEFAULT_SIDE = 512;

/** What `extra-single-image` and `extra-batch-images` take beside their pictures (modules/api/models.py of the WebUI). */
export const extrasBody = z.object({
  resize_mode: numberOneOf([0, 1], 'must be 0 or 1')
    .default(0)
    .describe('0: by a factor; 1: to a width and height, ignoring upscaling_resize'),
  show_extras_results: flag().default(true).describe('Accepted without effect: the image is always returned'),
  gfpgan_visibility: fraction()
    .default(0)
    .describe('How much of the faces restored by GFPGAN shows; 0: none are restored'),
  codeformer_visibility: fraction().default(0).describe('The same for CodeFormer, which runs after GFPGAN'),
  codeformer_weight: fraction().default(0).describe('0 is the best-looking face, 1 the most faithful'),
  upscaling_resize: numberAbove(0).optional().describe('The factor; by default 2, or 1 without an upscaler'),
  upscaling_resize_w: whole(1).default(DEFAULT_SIDE),
  upscaling_resize_h: whole(1).default(DEFAULT_SIDE),
  upscaling_crop: flag().default(true).describe('Whether to crop what extends beyond the width and height'),
  upscaler_1: z.string().default(NONE).describe('A name from GET /sdapi/v1/upscalers; None resizes by Lanczos'),
  upscaler_2: z.string().default(NONE).describe('A second upscaler, whose result is blended with that of the first'),
  extras_upscaler_2_visibility: fraction().default(0).describe('How much of the second result covers the first'),
  upscale_first: flag().default(false).describe('Accepted without effect: the image is always enlarged first'),
  ...correctionFields(),
  force_task_id: z.string().max(255).optional().describe('An ID by which POST /internal/progress finds the task'),
});

export type ExtrasBody = z.output<typeof extrasBody>;

/** What the fields ask for. @throws UnknownUpscalerError */
export async function extrasOptions(
  body: ExtrasBody,
  context: Pick<RouteContext, 'catalog' | 'config'>,
): Promise<ExtrasOptions> {
  const first = await upscalerNamed(body.upscaler_1, 'upscaler_1', context);
  const second = await upscalerNamed(body.upscaler_2, 'upscaler_2', context);
  const visibility = second.use ? body.extras_upscaler_2_visibility : 0;
  const size = sizeOf(body, first);
  return {
    size,
    first: first.use ?? { upscaler: 'LANCZOS' },
    second: second.use && visibility > 0 ? { ...second.use, visibility } : undefined,
    gfpganVisibility: body.gfpgan_visibility,
    codeformerVisibility: body.codeformer_visibility,
    codeformerWeight: body.codeformer_weight,
    colorFix: body.colour_fix,
    clean: body.clean,
    text: extrasText(body, { size, first: first.name, second: visibility > 0 ? second.name : undefined }),
  };
}

function sizeOf(body: ExtrasBody, { use }: OfferedUpscaler): ExtrasSize {
  const { resize_mode: mode, upscaling_resize: factor = use ? DEFAULT_FACTOR : 1 } = body;
  if (mode === 0) return { scale: factor };
  return { width: body.upscaling_resize_w, height: body.upscaling_resize_h, isCropped: body.upscaling_crop };
}
