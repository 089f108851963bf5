import { z } from 'zod';
import { OUTPUT_FORMAT_NAMES } from '../../options/output-formats.ts';
import type { ResultInfo } from '../../processing/result.ts';

/** What a result may be: an image, or the list of faces that `POST /faces` makes. */
const RESULT_FORMATS = [...OUTPUT_FORMAT_NAMES, 'json'] as const;

const remoteResult = z.object({
  bytes: z.number(),
  sha256: z.string(),
  info: z
    .looseObject({ format: z.enum(RESULT_FORMATS) })
    .transform((info) => info as unknown as ResultInfo & typeof info),
});

/**
 * What the command line needs of a job's state, as `GET /jobs/{id}` and the events of a job tell it. Events on the way have no
 * results yet.
 */
export const remoteJob = z.object({
  status: z.enum(['queued', 'processing', 'completed', 'failed', 'cancelled']),
  stage: z.string(),
  progress: z.number(),
  stage_progress: z.number(),
  tile: z.number().nullish(),
  tiles: z.number().nullish(),
  downloaded_bytes: z.number().nullish(),
  total_bytes: z.number().nullish(),
  error: z.string().nullish(),
  code: z.string().nullish(),
  results: z.array(remoteResult).default([]),
});

export type RemoteJob = z.output<typeof remoteJob>;
export type RemoteResult = RemoteJob['results'][number];

/** Whether nothing more happens to a job. */
export function hasEnded({ status }: RemoteJob): boolean {
  return status !== 'queued' && status !== 'processing';
}
