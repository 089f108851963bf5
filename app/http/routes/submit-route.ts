import type { Response } from 'express';
import { Router } from 'express';
import { flag } from '../../options/values.ts';
import { outputOptions } from '../../options/output-options.ts';
import { upscaleOptions } from '../../options/upscale-options.ts';
import { answerAccepted } from '../answer-job.ts';
import { BadFieldError } from '../errors.ts';
import { Fields } from '../fields.ts';
import { faceMethod } from './face-route.ts';
import { facesMethod } from './faces-route.ts';
import type { ImageMethod } from './image-route.ts';
import { imageMethod, submitImages } from './image-route.ts';
import { colorizeMethod, restoreMethod } from './restore-route.ts';
import type { RouteContext } from './route-context.ts';
import { upscaleMethod } from './upscale-route.ts';

const MAX_IMAGES = 64;
/** What a job of the method `restore` does where it does not say. */
const DEFAULT_STEPS = 'old-photo';

/** An upscale that restores faces unless it is told not to. */
export const enhanceMethod = imageMethod({
  method: 'enhance',
  form: upscaleOptions.extend({ ...outputOptions.shape, face_enhance: flag().default(true) }),
  workOf: ({ face_enhance: isFaceEnhance, ...values }) => ({
    kind: 'hires-fix',
    options: upscaleOptions.parse({ is_face_enhance: isFaceEnhance, ...values }),
  }),
});

/** `POST /jobs` takes any method's images as a job, `POST /enhance` those of one method. Both answer 202 and where to ask. */
export function submitRoute(context: RouteContext): Router {
  const methods = [
    upscaleMethod,
    enhanceMethod,
    restoreMethod(context.config.modelRestore),
    colorizeMethod,
    faceMethod,
    facesMethod,
  ];
  const answer = async (response: Response, read: ImageMethod['read']): Promise<void> => {
    const images = { request: response.req, response, mostFiles: MAX_IMAGES, read };
    answerAccepted(await submitImages(context, images), response);
  };
  return Router()
    .post('/jobs', (_request, response) => answer(response, (fields) => readMethod(methods, fields)))
    .post('/enhance', (_request, response) => answer(response, enhanceMethod.read));
}

function readMethod(methods: readonly ImageMethod[], fields: Fields): ReturnType<ImageMethod['read']> {
  const entries = fields.entries();
  const name = entries.find(([field]) => field === 'method')?.[1];
  const method = methods.find((one) => one.method === name);
  if (!method) throw new BadFieldError('method', `must be ${methods.map((one) => one.method).join(', ')}`, name);
  const others = new Fields();
  for (const [field, value] of entries) if (field !== 'method') others.add(field, value);
  if (name === 'restore' && !entries.some(([field]) => field === 'steps')) others.add('steps', DEFAULT_STEPS);
  return method.read(others);
}
