import type { ImageFailure, Job, JobError, JobRequest, JobResult, JobStatus } from '../job.ts';
import { hasEnded, initialProgress } from '../job.ts';
import type { JobFiles } from '../job-files.ts';
import { rememberedName } from '../job-files.ts';
import type { CallerKey } from '../job-queue.ts';
import type { JobOutcome } from '../run-job.ts';
import { ServiceRate } from '../service-rate.ts';

/** A job as a script answers with it or tells of it: names and values by turns. */
export type JobRecord = readonly string[];

/** A job, and what its run is known by. */
export interface RecordedJob {
  readonly job: Job;
  /** Which of all runs, on whatever server, the newest is: what an older one writes does not count. */
  readonly run: string;
  readonly crashes: number;
  readonly restarts: number;
}

/** What is kept of a request: names of files in place of paths, because folders lie elsewhere for each server. */
export function requestRecord(request: JobRequest): string {
  const inputs = request.inputs.map((input) => ({ ...input, file: rememberedName(input) }));
  return JSON.stringify({ ...request, inputs });
}

/** The field of an idempotency key, of one caller alone. */
export function keyRecord({ caller, key }: CallerKey): string {
  return JSON.stringify([caller, key]);
}

/** Fields and values of what an outcome changes. */
export function outcomeRecord({ results, failures, error, progress }: JobOutcome): readonly string[] {
  const named = results?.map((result) => ({ ...result, file: rememberedName(result) }));
  return Object.entries({ results: named, failures, error, progress }).flatMap(([field, value]) =>
    value === undefined ? [] : [field, JSON.stringify(value)],
  );
}

/** A job from the fields and values that Redis has of it, one after the other. */
export function recordedJob(record: JobRecord, files: JobFiles): RecordedJob {
  const parts = new Map<string, string>();
  for (let index = 0; index + 1 < record.length; index += 2) parts.set(record[index] ?? '', record[index + 1] ?? '');
  const text = (name: string): string => parts.get(name) ?? '';
  const json = <T>(name: string, otherwise: T): T => (parts.has(name) ? (JSON.parse(text(name)) as T) : otherwise);
  const request = json<JobRequest | undefined>('data', undefined);
  if (!request) throw new Error(`Redis has no request of job ${text('id')}`);
  const named = { id: request.id, attempt: Number(text('attempt')) };
  const error = json<JobError | undefined>('error', undefined);
  const job: Job = {
    ...request,
    inputs: request.inputs.map((input) => ({ ...input, file: files.inputNamed(input.file) })),
    status: text('status') as JobStatus,
    queuePosition: Number(text('position')),
    progress: json('progress', initialProgress(request)),
    results: json<JobResult[]>('results', []).map((one) => ({ ...one, file: files.resultNamed(named, one.file) })),
    failures: json<ImageFailure[]>('failures', []),
    createdAt: Number(text('createdAt')),
    attempt: named.attempt,
    ...(error && { error }),
    ...(parts.has('startedAt') && { startedAt: Number(text('startedAt')) }),
    ...(parts.has('finishedAt') && { finishedAt: Number(text('finishedAt')) }),
  };
  const rate = rateOf(text('workers'), text('mean'));
  return {
    job: withEta(job, rate),
    run: text('run'),
    crashes: Number(text('crashes')),
    restarts: Number(text('restarts')),
  };
}

/** @param mean seconds, or '' where nothing was measured */
export function rateOf(workers: string, mean: string): ServiceRate {
  return new ServiceRate(Math.max(1, Number(workers)), mean === '' ? undefined : Number(mean));
}

function withEta(job: Job, rate: ServiceRate): Job {
  const etaSeconds = hasEnded(job.status) ? undefined : rate.secondsUntilEnd(job);
  return etaSeconds === undefined ? job : { ...job, etaSeconds };
}
