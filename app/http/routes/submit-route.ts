import { Router } from 'express';
import type { MethodDefaults } from '../../options/methods.ts';
import { IMAGE_METHODS } from '../../options/methods.ts';
import { answerAccepted } from '../answer-job.ts';
import { BadFieldError } from '../errors.ts';
import { Fields } from '../fields.ts';
import type { AskedWork } from '../submit-job.ts';
import { MAX_IMAGES } from '../submit-job.ts';
import { askedWork, submitImages } from './image-routes.ts';
import type { RouteContext } from './route-context.ts';

/** What a job of the method `restore` does where it does not say. */
const DEFAULT_STEPS = 'old-photo';

/** `POST /jobs` takes the images of any method as a job, and answers 202 and where to ask. */
export function submitRoute(context: RouteContext): Router {
  return Router().post('/jobs', async (request, response) => {
    const read = (fields: Fields): AskedWork => readMethod(fields, context.config);
    const submission = await submitImages(context, { request, response, mostFiles: MAX_IMAGES, read });
    answerAccepted(context.awaited, submission, response);
  });
}

function readMethod(fields: Fields, defaults: MethodDefaults): AskedWork {
  const entries = fields.entries();
  const given = entries.find(([field]) => field === 'method')?.[1];
  const names = [...IMAGE_METHODS.keys()];
  const name = names.find((one) => one === given);
  if (!name) throw new BadFieldError('method', `must be ${names.join(', ')}`, given);
  const others = new Fields();
  for (const [field, value] of entries) if (field !== 'method') others.add(field, value);
  if (name === 'restore' && !entries.some(([field]) => field === 'steps')) others.add('steps', DEFAULT_STEPS);
  return askedWork(name, others, defaults);
}
