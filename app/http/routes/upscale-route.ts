import type { Router } from 'express';
import { outputOptions } from '../../options/output-options.ts';
import { upscaleOptions } from '../../options/upscale-options.ts';
import { imageMethod, imageRoute } from './image-route.ts';
import type { RouteContext } from './route-context.ts';

export const upscaleMethod = imageMethod({
  method: 'upscale',
  form: upscaleOptions.extend(outputOptions.shape),
  workOf: (values) => ({ kind: 'hires-fix', options: upscaleOptions.parse(values) }),
});

/** `POST /upscale` takes one image and answers with it enlarged. */
export function upscaleRoute(context: RouteContext): Router {
  return imageRoute(context, upscaleMethod);
}
