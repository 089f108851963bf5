import { Router } from 'express';
import type { RestoreStep } from '../../options/restore-options.ts';
import { colorizeOptions, restoreOptions, restorePlan } from '../../options/restore-options.ts';
import { outputOptions } from '../../options/output-options.ts';
import { imageMethod, imageRoute } from './image-route.ts';
import type { RouteContext } from './route-context.ts';

export const colorizeMethod = imageMethod({
  method: 'colorize',
  form: colorizeOptions.extend(outputOptions.shape),
  workOf: (values) => ({ kind: 'restore', ...restorePlan(colorizeOptions.parse(values), 'colorize') }),
});

/** @param standard the step that is done where none is named */
export function restoreMethod(standard: RestoreStep) {
  return imageMethod({
    method: 'restore',
    form: restoreOptions.extend(outputOptions.shape),
    workOf: (values) => ({ kind: 'restore', ...restorePlan(values, standard) }),
  });
}

/** `POST /restore` and `POST /colorize` take one image and answer with it repaired, or in colours, at its own size. */
export function restoreRoute(context: RouteContext): Router {
  return Router().use(
    imageRoute(context, restoreMethod(context.config.modelRestore)),
    imageRoute(context, colorizeMethod),
  );
}
