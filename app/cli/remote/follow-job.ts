import { setTimeout as pause } from 'node:timers/promises';
import { ServerUnreachableError } from '../errors.ts';
import type { RemoteJob } from './remote-job.ts';
import { hasEnded } from './remote-job.ts';
import type { RemoteService } from './remote-service.ts';

/** How often a job is asked for where its events cannot be had; after so many answers in a row that failed, it is given up. */
const LOOK_MS = 250;
const MAX_FAILED_LOOKS = 20;

/**
 * The states of a job as they come, the last of which is its end: from the service's event stream, or by asking again and again
 * where that brings nothing (as behind a proxy that holds answers back). A stream that breaks off is taken up again.
 * @throws ServerUnreachableError, ServerProblemError, the signal's reason
 */
export async function* followJob(
  service: Pick<RemoteService, 'events' | 'job'>,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteJob, void> {
  let canStream = true;
  for (let failed = 0; ;) {
    const stream = canStream ? unlessItBreaks(service.events(id, signal), signal) : [];
    canStream = false;
    for await (const job of stream) {
      [canStream, failed] = [true, 0];
      yield job;
      if (hasEnded(job)) return;
    }
    const job = await service.job(id, signal).catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || ++failed > MAX_FAILED_LOOKS) throw error;
      return undefined;
    });
    if (job) {
      canStream ||= failed > 0; // the service was away, and is back
      failed = 0;
      yield job;
      if (hasEnded(job)) return;
    }
    await pause(LOOK_MS, undefined, { signal });
  }
}

/** A stream that fails just ends: what is wrong with the job or the service, the next request tells. */
async function* unlessItBreaks<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  try {
    yield* stream;
  } catch (error) {
    if (signal.aborted) throw error;
  }
}
