import type { Job, Moment } from './job.ts';

/** What changes with a job by which `moment` is now, beside the time on the wall. */
export function steadyNow({ steady }: Pick<Job, 'steady'>, moment: Moment): Required<Pick<Job, 'steady'>> {
  return { steady: { ...steady, [moment]: performance.now() } };
}

/** When something happened by the clock that nobody sets, from the time on the wall, which is not asked again after this. */
export function steadyTimeOf(wallMs: number): number {
  return performance.now() - Math.max(0, Date.now() - wallMs);
}

/**
 * Seconds from one moment of a job to another, or until now. By the clock that nobody sets where this process saw both; else by
 * that on the wall, which may have been set back: then none have passed. Undefined where it has not come to them.
 */
export function secondsBetween(job: Times, from: Moment, to: Moment | 'now'): number | undefined {
  const begun = job.steady?.[from];
  const ended = to === 'now' ? performance.now() : job.steady?.[to];
  if (begun !== undefined && ended !== undefined) return (ended - begun) / 1000;
  const [first, last] = [job[`${from}At`], to === 'now' ? Date.now() : job[`${to}At`]];
  return first === undefined || last === undefined ? undefined : Math.max(0, last - first) / 1000;
}

type Times = Partial<Pick<Job, 'createdAt' | 'startedAt' | 'finishedAt' | 'steady'>>;
