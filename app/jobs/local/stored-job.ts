import type { Job, JobInput, JobResult } from '../job.ts';
import { finalProgress, hasEnded, initialProgress } from '../job.ts';
import { steadyTimeOf } from '../job-times.ts';
import type { JobFiles } from '../job-files.ts';
import { rememberedName } from '../job-files.ts';

/** A job with what its queue counts. */
export interface CountedJob {
  readonly job: Job;
  /** Workers that died over it. */
  readonly crashes: number;
  /** Servers that stopped while it ran. */
  readonly restarts: number;
}

/** JSON leaves out what is undefined. */
const NOT_KEPT = { queuePosition: undefined, progress: undefined, etaSeconds: undefined, steady: undefined };
type Fleeting = keyof typeof NOT_KEPT;

/** A job as it lies in the journal: without what holds only for a moment, and with names of files in place of paths. */
export interface StoredJob extends Omit<Job, Fleeting> {
  readonly crashes: number;
  readonly restarts: number;
}

/** A job as it is written into the journal. */
export function storedJob({ job, crashes, restarts }: CountedJob): StoredJob {
  const kept: Omit<Job, Fleeting> = { ...job, ...NOT_KEPT };
  const named = <T extends { readonly file: string }>(one: T): T => ({ ...one, file: rememberedName(one) });
  return { ...kept, inputs: job.inputs.map(named), results: job.results.map(named), crashes, restarts };
}

/** A job as the journal has it, with its files in the folders of today; one that was running waits again. */
export function restoredJob({ crashes, restarts, ...stored }: StoredJob, files: JobFiles): CountedJob {
  const job: Job = {
    ...stored,
    inputs: stored.inputs.map((input): JobInput => ({ ...input, file: files.inputNamed(input.file) })),
    results: stored.results.map((result): JobResult => ({ ...result, file: files.resultNamed(stored, result.file) })),
    status: hasEnded(stored.status) ? stored.status : 'queued',
    queuePosition: 0,
    progress: stored.status === 'completed' ? finalProgress(stored) : initialProgress(stored),
    ...(stored.finishedAt !== undefined && { steady: { finished: steadyTimeOf(stored.finishedAt) } }),
  };
  return { job, crashes, restarts };
}
