import { pause } from './abort.ts';
import { ServiceUnreachableError } from './errors.ts';
import type { JobState } from './job-state.ts';
import { hasEnded } from './job-state.ts';

/** How often a job is asked for where its events cannot be had; after so many answers in a row that failed, it is given up. */
const LOOK_MS = 250;
const MAX_FAILED_LOOKS = 20;

/** Where a job's states come from. */
interface Source {
  events(id: string, signal?: AbortSignal): AsyncIterable<JobState>;
  job(id: string, signal?: AbortSignal): Promise<JobState>;
}

/**
 * The states of a job as they come, the last of which is its end: from the service's event stream, or by asking again and again
 * where that brings nothing (as behind a proxy that holds answers back). A stream that breaks off is taken up again.
 * @throws ServiceUnreachableError, ServiceProblemError, the signal's reason
 */
export async function* followJob(source: Source, id: string, signal?: AbortSignal): AsyncGenerator<JobState, void> {
  let canStream = true;
  for (let failed = 0; ;) {
    const stream = canStream ? unlessItBreaks(source.events(id, signal), signal) : [];
    canStream = false;
    for await (const job of stream) {
      [canStream, failed] = [true, 0];
      yield job;
      if (hasEnded(job)) return;
    }
    const job = await source.job(id, signal).catch((error: unknown) => {
      if (!(error instanceof ServiceUnreachableError) || ++failed > MAX_FAILED_LOOKS) throw error;
      return undefined;
    });
    if (job) {
      canStream ||= failed > 0; // the service was away, and is back
      failed = 0;
      yield job;
      if (hasEnded(job)) return;
    }
    await pause(LOOK_MS, signal);
  }
}

/** A stream that fails just ends: what is wrong with the job or the service, the next request tells. */
async function* unlessItBreaks<T>(stream: AsyncIterable<T>, signal?: AbortSignal): AsyncGenerator<T, void> {
  try {
    yield* stream;
  } catch (error) {
    if (signal?.aborted) throw error;
  }
}
