import type { Response } from 'express';
import type { Job, JobResult } from '../jobs/job.ts';
import { secondsBetween } from '../jobs/job-times.ts';
import { traitsOf } from '../options/output-formats.ts';
import type { ResultInfo } from '../processing/result.ts';
import { makerOf } from '../processing/result.ts';
import { downloadName } from './download-name.ts';

const MAX_WARNINGS = 4000;

/**
 * Sets what an image answer says about itself: what it is, how to save it, and what was done to make it.
 * @param warnings of the request, where it is not the one that the job came by
 */
export function setResultHeaders(
  response: Response,
  job: Job,
  result: JobResult,
  warnings: readonly string[] = [],
): void {
  const { info } = result;
  response.attachment(downloadName(job.inputs[result.index]?.name ?? '', job.method, result.file));
  response.set({
    'Content-Type': mediaTypeOf(info.format),
    'Cache-Control': 'private, no-cache',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    ETag: `"${result.sha256}"`,
    'X-Job-Id': job.id,
    'X-Model': headerText(makerOf(info)),
    'X-Scale': String(Number(info.scale.toFixed(4))),
    'X-Device': headerText(info.device ?? 'cpu'),
    'Server-Timing': serverTiming(job, result),
  });
  setWarnings(response, [...warnings, ...jobWarnings(job, result)]);
}

/** Tells in a header what a caller should know beside the answer. */
export function setWarnings(response: Response, warnings: readonly string[]): void {
  if (warnings.length > 0) response.set('X-Warnings', headerText(warnings.join('; ')).slice(0, MAX_WARNINGS));
}

/** Everything that a caller should know about one result, beside the result. */
export function jobWarnings(job: Job, { info }: JobResult): string[] {
  const fallbacks = info.fallbacks.map(({ from, to, reason }) => `fell back from ${from} to ${to}: ${reason}`);
  return [...job.warnings, ...info.warnings, ...fallbacks];
}

function mediaTypeOf(format: ResultInfo['format']): string {
  return format === 'json' ? 'application/json' : traitsOf(format).mediaType;
}

function serverTiming(job: Job, { info }: JobResult): string {
  const queuedMs = (secondsBetween(job, 'created', 'started') ?? 0) * 1000;
  const stages = Object.entries(info.seconds).map(([stage, seconds]) => [stage, seconds * 1000] as const);
  return [['queue', queuedMs] as const, ...stages]
    .map(([stage, ms]) => `${stage.replace(/[^\w-]/g, '_')};dur=${Number(ms.toFixed(1))}`)
    .join(', ');
}

/** Header values are printable ASCII; anything else is written as a JavaScript escape. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
