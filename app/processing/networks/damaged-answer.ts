import type { SessionDevice } from '../../inference/devices.ts';
import { DamagedAnswerError } from '../errors.ts';

/** Which network answered with NaN, on which device, and the tile's first pixel where it worked on tiles. */
export interface DamagedAnswer {
  readonly architecture: string;
  readonly device: SessionDevice;
  readonly at?: { readonly x: number; readonly y: number };
}

/** The error of a network that answered with values that are not numbers. */
export function damagedAnswer({ architecture, device, at }: DamagedAnswer): DamagedAnswerError {
  const place = at ? ` at x ${at.x}, y ${at.y}` : '';
  return new DamagedAnswerError(
    `${architecture} answered with values that are not numbers${place}; its weights are damaged, or ${device} is at fault`,
    { isOutOfMemory: false },
  );
}
