import { readFile } from 'node:fs/promises';
import type { Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { readImageSize } from '../../imaging/codec/image-size.ts';
import { sniffFormat } from '../../imaging/codec/sniff-format.ts';
import type { Job, JobInput } from '../../jobs/job.ts';
import { METHODS } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { FITS, oneSize, upscaleOptions } from '../../options/upscale-options.ts';
import { numberAbove, oneOf, whole } from '../../options/values.ts';
import type { Fields } from '../fields.ts';
import { parseParameters } from '../fields.ts';
import { sendProblem } from '../problem.ts';
import { receiveWork, sendImage, submitReceived } from '../routes/image-routes.ts';
import type { RouteContext } from '../routes/route-context.ts';
import type { AskedWork } from '../submit-job.ts';
import { whenCompleted } from './completed-job.ts';

const FIT_NAMES = FITS.filter((fit) => fit !== 'fill');

/** The query, or the fields of a form: a box, and how a picture of another shape is put into it. */
export const fittedUpscaleForm = z
  .object({
    ...upscaleOptions.omit({ width: true, height: true }).shape,
    ...outputOptions.omit({ output_format: true }).shape,
    target_width: whole(1).describe('Width of the box, in pixels'),
    target_height: whole(1).describe('Height of the box, in pixels'),
    fit: oneOf(FIT_NAMES)
      .default('inside')
      .describe('inside: the largest size that fits into the box; cover: fill the box and crop the rest'),
    format: outputOptions.shape.output_format,
    trigger_ratio: numberAbove(0)
      .default(1)
      .describe('An image that would grow by no more than this is returned as it came, with X-Upscale-Applied: false'),
  })
  .check(oneSize({ width: 'target_width', height: 'target_height' }));

/**
 * `POST /v1/upscale`: a picture into a box, as gateways ask for it that enlarge what other services have made. The answer is the
 * picture; `X-Upscale-Applied` says whether it was enlarged, `X-Upscale-Method` by what. One that need not grow by more than
 * `trigger_ratio` comes back as it is, at once.
 */
export function fittedUpscaleRoute(context: RouteContext): Router {
  return Router().post('/v1/upscale', async (request, response) => {
    let trigger = 1;
    const read = (fields: Fields): AskedWork => {
      const { values, warnings } = parseParameters(fittedUpscaleForm, fields.entries());
      const { target_width, target_height, format, trigger_ratio, ...rest } = values;
      trigger = trigger_ratio;
      const asked = { ...rest, width: target_width, height: target_height };
      const output = outputOptions.parse({ ...rest, output_format: format });
      return { method: 'upscale', work: METHODS.upscale.workOf(asked, context.config), output, warnings };
    };
    const received = await receiveWork(context, { request, response, mostFiles: 1, read });
    const [image] = received.images;
    if (image && (await isLargeEnough(image, received.asked, trigger))) {
      await sendAsItIs(context, response, image);
      return;
    }
    const submission = await submitReceived(context, received);
    await whenCompleted(context, submission, response, {
      send: (job) => {
        setMarkers(response, job, trigger);
        return sendImage(response, job);
      },
      fail: sendProblem,
    });
  });
}

/** By what its header tells; which way up it stands is not known, so that it has to be large enough both ways. */
async function isLargeEnough({ file }: JobInput, { work }: AskedWork, trigger: number): Promise<boolean> {
  const stored = await readImageSize(file).catch(() => undefined);
  if (!stored || work.kind !== 'hires-fix') return false;
  const { width = 0, height = 0, fit } = work.options;
  const growths = [
    [stored.width, stored.height],
    [stored.height, stored.width],
  ].map(([across = 1, down = 1]) => {
    const both = [width / across, height / down];
    return fit === 'cover' ? Math.max(...both) : Math.min(...both);
  });
  return growths.every((growth) => growth <= trigger);
}

async function sendAsItIs({ files }: RouteContext, response: Response, image: JobInput): Promise<void> {
  try {
    const bytes = await readFile(image.file);
    response
      .status(200)
      .set({
        'X-Upscale-Applied': 'false',
        'X-Upscale-Method': 'none',
        'Content-Type': `image/${sniffFormat(bytes, image.name)}`,
      })
      .send(bytes);
  } finally {
    await files.removeInputs({ inputs: [image] });
  }
}

function setMarkers(response: Response, { results: [result] }: Job, trigger: number): void {
  if (!result) return;
  const { input, output, upscaler = '' } = result.info;
  const grown = Math.max(output.width / input.width, output.height / input.height);
  response.set({
    'X-Upscale-Applied': String(grown > trigger),
    'X-Upscale-Method': upscaler.replace(/[^\x21-\x7e]/g, '_'),
  });
}
