import { Router } from 'express';
import { colorizeOptions, restoreOptions, restorePlan } from '../../processing/restore-options.ts';
import { outputOptions } from '../../processing/upscale-options.ts';
import { imageRoute } from './image-route.ts';
import type { RouteContext } from './route-context.ts';

/** `POST /restore` and `POST /colorize` take one image and answer with it repaired, or in colours, at its own size. */
export function restoreRoute(context: RouteContext): Router {
  const restore = imageRoute(context, {
    method: 'restore',
    form: restoreOptions.extend(outputOptions.shape),
    workOf: (values) => ({
      kind: 'restore',
      ...restorePlan(values, context.config.modelRestore),
    }),
  });
  const colorize = imageRoute(context, {
    method: 'colorize',
    form: colorizeOptions.extend(outputOptions.shape),
    workOf: (values) => ({ kind: 'restore', ...restorePlan(colorizeOptions.parse(values), 'colorize') }),
  });
  return Router().use(restore, colorize);
}
