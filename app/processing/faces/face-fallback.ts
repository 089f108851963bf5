import { HiresFixError } from '../../errors.ts';
import { ScratchSpaceError } from '../../imaging/errors.ts';
import type { ScratchImage } from '../../imaging/scratch-image.ts';
import type { FaceContext } from './face-pipeline.ts';
import type { FaceInfo, Fallback } from '../result.ts';

/** What has become of the faces of a picture. */
export interface FacesRestored {
  /** The background with the faces in it; none where it stays as it is. The caller disposes of it. */
  readonly image?: ScratchImage;
  readonly info: FaceInfo;
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
}

/** What to report when a face step fails and that is no error. */
export interface FaceStep {
  readonly model: string;
  /** What the picture gets instead. */
  readonly without: string;
  readonly isStrict: boolean;
  /** The record of what was done until it failed. */
  readonly told: () => Pick<FacesRestored, 'info' | 'fallbacks'>;
}

/**
 * Does a face step. When it fails, the picture is delivered without it and a fallback says so, since that is worth more than no
 * picture. When the worker dies over it, the next worker leaves the faces of that image alone.
 * @throws the step's own error if it is strict; ScratchSpaceError
 */
export async function orWithoutFaces(
  step: FaceStep,
  { devices, onRunning, leavesFaces }: FaceContext,
  work: () => Promise<FacesRestored>,
): Promise<FacesRestored> {
  if (leavesFaces) return { ...step.told(), warnings: [] }; // the server, which saw the worker die, has told why
  const withoutIt = { from: step.model, to: step.without };
  onRunning({ device: devices[0] ?? 'cpu', tile: 0, side: 0, ...(!step.isStrict && { withoutIt }) });
  try {
    return await work();
  } catch (error) {
    if (step.isStrict || error instanceof ScratchSpaceError || !(error instanceof Error)) throw error;
    const { info, fallbacks } = step.told();
    const reason = error instanceof HiresFixError ? error.message : 'internal error';
    return { info, fallbacks: [...fallbacks, { from: step.model, to: step.without, reason }], warnings: [] };
  }
}
