import type { Fallback, RunningOn } from '../processing/result.ts';
import type { Rung } from '../processing/tasks.ts';
import { smallerTile } from '../processing/networks/tile-size.ts';
import type { Failure } from './protocol.ts';

/** How a worker failed at a task. */
export interface FailedRun {
  /** What the worker reported; none if it died, or was killed because it hung. */
  readonly failure?: Failure;
  readonly reason: string;
  /** Whether the worker had begun the task; the death of one that had not says nothing about the task. */
  readonly hasStarted: boolean;
  /** Index of the image it was at. */
  readonly image?: number;
  /** Whether the image before that was still being written. */
  readonly isBesideOther?: boolean;
  /** Images whose result may be in place, though it was not told; by index. */
  readonly placing?: readonly number[];
  /** Where its network ran; none if it had not come to that. */
  readonly on?: RunningOn;
}

/** What is tried next, and the fallback that is recorded for it. */
export interface LowerRung {
  readonly rung: Rung;
  readonly fallback: Fallback;
  /** The image that the fallback is recorded with; without it, all images that follow. */
  readonly image?: number;
}

/**
 * The next rung of the ladder: smaller tiles on the same device, then another device, at last the CPU; then, for the image at
 * work, without what can be left out (its faces). Undefined if nothing is left to try, or trying again cannot help. A worker that
 * died while its network ran is taken to have run out of memory, the usual cause.
 */
export function nextRung(rung: Rung, failed: FailedRun): LowerRung | undefined {
  const { on, failure, reason } = failed;
  const remedy = failure ? failure.remedy : 'memory';
  if (on === undefined || remedy === undefined) return undefined;
  const tile = remedy === 'memory' ? smallerTile(on.tile, on.side) : undefined;
  if (tile !== undefined) {
    const from = on.tile === 0 ? 'whole image' : `tile ${on.tile}`;
    return { rung: { ...rung, maxTile: tile }, fallback: { from, to: `tile ${tile}`, reason } };
  }
  if (on.device === 'cpu') return rungWithout(rung, failed, on);
  const { finished, withoutFaces } = rung;
  const excludedDevices = [...rung.excludedDevices, on.device];
  return {
    rung: { excludedDevices, finished, ...(withoutFaces && { withoutFaces }) },
    fallback: { from: on.device, to: 'cpu', reason },
  };
}

/** So far only face restoration can be left out. */
function rungWithout(rung: Rung, { image, reason }: FailedRun, { withoutIt }: RunningOn): LowerRung | undefined {
  if (withoutIt === undefined || image === undefined) return undefined;
  const withoutFaces = [...(rung.withoutFaces ?? []), image];
  return { rung: { ...rung, withoutFaces }, fallback: { ...withoutIt, reason }, image };
}

/**
 * Whether a failure with no rung left concerns this image only, so that the others of the task may succeed: its network ran out
 * of memory or devices, or the worker died over it. Any other failure that was reported concerns the whole task.
 */
export function isOfImage({ failure, image }: FailedRun): boolean {
  return image !== undefined && (failure === undefined || failure.remedy !== undefined);
}
