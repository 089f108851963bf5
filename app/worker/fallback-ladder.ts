import type { Fallback, RunningOn } from '../processing/result.ts';
import type { Rung } from '../processing/tasks.ts';
import { smallerTile } from '../processing/networks/tile-size.ts';
import type { Failure } from './protocol.ts';

/** How a worker's run of a task ended that did not succeed. */
export interface FailedRun {
  /** What the worker said; none where it died or was killed because it hung. */
  readonly failure?: Failure;
  readonly reason: string;
  /** Whether the worker had the task: one that died before was lost while it waited, and says nothing of the task. */
  readonly hasStarted: boolean;
  /** Index of the image it was at. */
  readonly image?: number;
  /** Where its network ran; none where it had not come to that. */
  readonly on?: RunningOn;
}

/** What is tried next, and what is told of it. */
export interface LowerRung {
  readonly rung: Rung;
  readonly fallback: Fallback;
  /** The only image that it is told of; without, it holds for all that follow. */
  readonly image?: number;
}

/**
 * The next rung of the ladder: smaller tiles on the same device, then another device, at last the CPU; then, for the image at
 * work, without what it can do without. Undefined where nothing is left to try, or where trying again cannot help. A worker that
 * died at its network is taken to have run out of memory, which is what kills workers.
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

/** Only faces can be done without so far. */
function rungWithout(rung: Rung, { image, reason }: FailedRun, { withoutIt }: RunningOn): LowerRung | undefined {
  if (withoutIt === undefined || image === undefined) return undefined;
  const withoutFaces = [...(rung.withoutFaces ?? []), image];
  return { rung: { ...rung, withoutFaces }, fallback: { ...withoutIt, reason }, image };
}

/**
 * Whether a defeat that no rung is left for is the image's own, so that others of the task may do better: its network ran
 * out of what it needs, or the worker died over it. Anything else that was said is said of the whole task.
 */
export function isOfImage({ failure, image }: FailedRun): boolean {
  return image !== undefined && (failure === undefined || failure.remedy !== undefined);
}
