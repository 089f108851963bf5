import type { Request, Response } from 'express';
import type { JsonImages } from './receiving/json-images.ts';
import { receiveJsonImages } from './receiving/json-images.ts';
import type { RouteContext } from './routes/route-context.ts';
import type { JobTicket } from './submit-job.ts';
import { admittedTicket, writingFiles } from './submit-job.ts';

const JSON_OVERHEAD_BYTES = 2 ** 20;

/** What a body may carry. */
export interface JsonImageBounds {
  readonly mostImages: number;
  /** As many as these at the largest size that one image may have; smaller ones there may be more of. */
  readonly fullSizeImages: number;
}

/**
 * Reads a JSON body, its images into files of a job, and has `submit` make the job of it. Where none comes of it, the files are removed.
 * @returns what `submit` returns
 * @throws what refuses a caller another job; what is wrong with the body; what `submit` throws
 */
export async function submitJsonImages<Submitted>(
  { request, response }: { readonly request: Request; readonly response: Response },
  { config, queue, files }: Pick<RouteContext, 'config' | 'queue' | 'files'>,
  { mostImages, fullSizeImages }: JsonImageBounds,
  submit: (body: JsonImages, ticket: JobTicket) => Promise<Submitted>,
): Promise<Submitted> {
  const ticket = await admittedTicket({ queue, files }, request, response);
  return writingFiles(files, async () => {
    const body = await receiveJsonImages(request, response, {
      what: 'The body',
      maxBytes: Math.ceil((fullSizeImages * config.maxFileSizeBytes * 4) / 3) + JSON_OVERHEAD_BYTES,
      maxImageBytes: config.maxFileSizeBytes,
      mostImages,
      file: (index) => files.input(ticket.id, index),
    });
    return submit(body, ticket).catch(async (error: unknown) => {
      await body.removeAllBut([]);
      throw error;
    });
  });
}
