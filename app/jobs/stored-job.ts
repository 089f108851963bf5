import type { Job, JobInput, JobResult } from './job.ts';
import { hasEnded } from './job.ts';
import type { JobFiles } from './job-files.ts';
import { rememberedName } from './job-files.ts';

/** A job with what its queue counts. */
export interface CountedJob {
  readonly job: Job;
  /** Workers that died over it. */
  readonly deaths: number;
  /** Servers that stopped while it ran. */
  readonly restarts: number;
}

/** JSON leaves out what is undefined. */
const NOT_KEPT = { queuePosition: undefined, progress: undefined, etaSeconds: undefined };
type Fleeting = keyof typeof NOT_KEPT;

/** A job as it lies in the journal: without what holds only for a moment, and with names of files in place of paths. */
export interface StoredJob extends Omit<Job, Fleeting> {
  readonly deaths: number;
  readonly restarts: number;
}

export function storedJob({ job, deaths, restarts }: CountedJob): StoredJob {
  const kept: Omit<Job, Fleeting> = { ...job, ...NOT_KEPT };
  const named = <T extends { readonly file: string }>(one: T): T => ({ ...one, file: rememberedName(one) });
  return { ...kept, inputs: job.inputs.map(named), results: job.results.map(named), deaths, restarts };
}

export function restoredJob({ deaths, restarts, ...stored }: StoredJob, files: JobFiles): CountedJob {
  const images = stored.inputs.length;
  const isDone = stored.status === 'completed';
  const done = isDone ? 1 : 0;
  const job: Job = {
    ...stored,
    inputs: stored.inputs.map((input): JobInput => ({ ...input, file: files.inputNamed(input.file) })),
    results: stored.results.map((result): JobResult => ({ ...result, file: files.resultNamed(stored, result.file) })),
    status: hasEnded(stored.status) ? stored.status : 'queued',
    queuePosition: 0,
    progress: {
      stage: isDone ? 'encoding' : 'queued',
      progress: done,
      stageProgress: done,
      image: isDone ? images : 1,
      images,
    },
  };
  return { job, deaths, restarts };
}
