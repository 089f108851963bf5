import type { Router } from 'express';
import { faceOptions } from '../../options/face-task-options.ts';
import { outputOptions } from '../../options/output-options.ts';
import { imageMethod, imageRoute } from './image-route.ts';
import type { RouteContext } from './route-context.ts';

export const faceMethod = imageMethod({
  method: 'face',
  form: faceOptions.safeExtend(outputOptions.shape),
  workOf: (values) => ({ kind: 'face', options: faceOptions.parse(values) }),
});

/** `POST /face` takes one image and answers with its faces restored. */
export function faceRoute(context: RouteContext): Router {
  return imageRoute(context, faceMethod);
}
