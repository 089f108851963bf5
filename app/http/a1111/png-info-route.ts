import { readFile } from 'node:fs/promises';
import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { PARAMETERS, readImageTexts } from '../../imaging/codec/metadata/image-texts.ts';
import { BadImageError } from '../../imaging/errors.ts';
import { newJobId } from '../../jobs/job.ts';
import { BadBodyError, BadFieldError } from '../errors.ts';
import { Fields, parseParameters } from '../fields.ts';
import { receiveJsonImages } from '../receiving/json-images.ts';
import type { RouteContext } from '../routes/route-context.ts';
import { writingFiles } from '../submit-job.ts';
import { parametersOf } from './infotext.ts';
import { sendJson } from './process-time.ts';

const JSON_OVERHEAD_BYTES = 2 ** 16;

/** The body of `png-info`, and the query of its `GET`. */
export const pngInfoBody = z.object({ image: z.string().default('').describe('In base64, or as a data URL') });

/** `POST /sdapi/v1/png-info`, with SD.Next also by `GET`: the texts that an image carries, and the parameters in them. */
export function pngInfoRoute(context: Pick<RouteContext, 'config' | 'files'>): Router {
  return Router()
    .get('/sdapi/v1/png-info', async (request, response) => {
      if (request.is('json')) return pngInfo(context, request, response);
      const { image } = parseParameters(pngInfoBody, Fields.ofQuery(request.query).entries()).values;
      sendJson(response, infoOf(Buffer.from(image.replace(/^data:[^,]*,/, '').replaceAll(' ', '+'), 'base64')));
    })
    .post('/sdapi/v1/png-info', (request, response) => pngInfo(context, request, response));
}

async function pngInfo(
  { config, files }: Pick<RouteContext, 'config' | 'files'>,
  request: Request,
  response: Response,
): Promise<void> {
  const id = newJobId();
  const body = await writingFiles(files, () =>
    receiveJsonImages(request, response, {
      what: 'The body',
      maxBytes: Math.ceil((config.maxFileSizeBytes * 4) / 3) + JSON_OVERHEAD_BYTES,
      maxImageBytes: config.maxFileSizeBytes,
      mostImages: 1,
      file: (index) => files.input(id, index),
    }),
  );
  try {
    if (typeof body.value !== 'object' || body.value === null) throw new BadBodyError('The body must be a JSON object');
    const { image } = parseParameters(pngInfoBody, Object.entries(body.value)).values;
    const decoded = await body.image('image', image).catch((error: unknown) => {
      throw error instanceof BadFieldError
        ? new BadImageError('image', 'expected base64 or a data URL (base64)')
        : error;
    });
    sendJson(response, infoOf(await readFile(decoded.file)));
  } finally {
    await body.removeAllBut([]);
  }
}

function infoOf(file: Uint8Array): unknown {
  const { texts, comment } = readImageTexts(file, 'image');
  const { [PARAMETERS]: parameters, ...items } = Object.fromEntries(texts);
  const info = comment ?? parameters ?? '';
  return {
    info,
    items: { ...items, ...(comment !== undefined && { 'exif comment': comment }) },
    parameters: parametersOf(info),
  };
}
