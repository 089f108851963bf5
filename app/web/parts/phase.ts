import { durationInWords } from '../../client/duration-in-words.ts';
import type { JobState } from '../../client/job-state.ts';
import { inBytes } from '../state/estimate.ts';

const STAGES: Readonly<Record<string, string>> = {
  loading: 'Loading the model',
  upscaling: 'Upscaling',
  detecting: 'Looking for faces',
  restoring: 'Restoring',
  colorizing: 'Colouring',
  resizing: 'To the exact size',
  encoding: 'Writing the file',
};

/** What a job is at, in words: `3rd in the queue`, `Upscaling, tile 7 of 30, 12 s left`. */
export function phaseOf(job: JobState): string {
  const { status, stage, queue_position: position = 0, image = 1, images = 1 } = job;
  const eta = job.eta_seconds ?? undefined;
  const left = eta === undefined ? '' : `, ${durationInWords(eta)} left`;
  if (status === 'queued') return `${place(position)} in the queue${left}`;
  const which = images > 1 ? `Image ${image} of ${images}: ` : '';
  return `${which}${stageOf(job, stage)}${left}`;
}

function stageOf(job: JobState, stage: string): string {
  const { tile = null, tiles = null, downloaded_bytes: got = null, total_bytes: total = null } = job;
  if (stage === 'downloading') {
    const of = total === null ? '' : ` of ${inBytes(total)}`;
    return got === null ? 'Downloading the model' : `Downloading the model, ${inBytes(got)}${of}`;
  }
  const words = STAGES[stage] ?? 'Starting';
  if (tile === null || tiles === null || tiles < 2) return words;
  const part = stage === 'restoring' || stage === 'detecting' ? 'face' : 'tile';
  return `${words}, ${part} ${Math.min(tile + 1, tiles)} of ${tiles}`;
}

function place(position: number): string {
  const last = position % 10;
  const isTeen = position % 100 > 10 && position % 100 < 14;
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][last] ?? 'th');
  return position < 1 ? 'Next' : `${position}${ending}`;
}
