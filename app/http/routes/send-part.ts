import type { Response } from 'express';
import type { PicturePart } from '../../imaging/codec/picture-part.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { setResultHeaders } from '../result-headers.ts';

/** A result never changes, and so does no part of it: whoever has one need not ask again. */
const KEPT_SECONDS = 3600;

interface PartOfResult {
  readonly job: Job;
  readonly result: JobResult;
  readonly part: PicturePart;
  /** Of the request. */
  readonly warnings: readonly string[];
}

/** Answers a part of a result as a PNG. The decoder is loaded with the first: a server of programs alone never needs it. */
export async function sendPart(response: Response, { job, result, part, warnings }: PartOfResult): Promise<void> {
  const { region, width } = part;
  const tag = `"${result.sha256}-${region.x}-${region.y}-${region.width}-${region.height}-${width}"`;
  response.set('ETag', tag);
  const isKnown = response.req.fresh;
  const { picturePart } = await import('../../imaging/codec/picture-part.ts');
  const picture = isKnown ? undefined : await picturePart(result.file, part);
  // Only now: what fails is answered as a problem, and not as a part that could be kept.
  setResultHeaders(response, job, result, warnings);
  response.removeHeader('Content-Disposition');
  response.set({
    'Content-Type': 'image/png',
    'Cache-Control': `private, max-age=${KEPT_SECONDS}, immutable`,
    ETag: tag,
  });
  if (picture) response.send(picture);
  else response.status(304).end();
}
