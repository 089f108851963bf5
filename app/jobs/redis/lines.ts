import type { JobWork } from '../job.ts';

/** What waits in line for the same: a download takes hardly any of a machine, and minutes, so it and images do not wait for each other. */
export type Line = 'images' | 'downloads';

export const LINES: readonly Line[] = ['images', 'downloads'];

/** The line that a job waits in. */
export function lineOf({ work }: { readonly work: JobWork }): Line {
  return work.kind === 'download' ? 'downloads' : 'images';
}
