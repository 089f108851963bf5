import type { CheckpointPolicy } from './partial-file.ts';
import type { ProcessLockTimings } from '../../files/process-lock.ts';
import type { RetryPolicy } from './retry.ts';
import type { StallLimits } from './stall-clock.ts';

/** How patient and how careful downloads are; times in ms, sizes in bytes. */
export interface DownloadLimits {
  /** For the name and the connection, each. */
  readonly connectMs: number;
  /** Until the first line of an answer. */
  readonly responseMs: number;
  readonly redirects: number;
  readonly stall: StallLimits;
  readonly retry: RetryPolicy;
  readonly checkpoint: CheckpointPolicy;
  readonly lock: ProcessLockTimings;
  /** Bounds of what one request asks for. */
  readonly smallestSegment: number;
  readonly largestSegment: number;
  /** The largest file that is taken where nobody says how large it is. */
  readonly largestFile: number;
  /** At most one progress report in so long. */
  readonly progressMs: number;
  /** Which addresses a redirect from a public host may not lead to; default: loopback and private networks. */
  readonly isPrivate?: (address: string) => boolean;
}

const MIB = 2 ** 20;

/** What the service runs with. */
export const DOWNLOAD_LIMITS: DownloadLimits = {
  connectMs: 10_000,
  responseMs: 30_000,
  redirects: 5,
  stall: { windowMs: 20_000, bytesPerSecond: 10 * 1024 },
  retry: { attempts: 6, shortestMs: 500, longestMs: 30_000, longestRetryAfterMs: 120_000 },
  checkpoint: { everyMs: 25, everyBytes: 8 * MIB },
  lock: { heartbeatMs: 2_000, staleMs: 10_000, pollMs: 200 },
  smallestSegment: MIB / 4,
  largestSegment: 8 * MIB,
  largestFile: 8192 * MIB,
  progressMs: 100,
};
