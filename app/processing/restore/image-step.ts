import type { ImageShape } from '../../imaging/image.ts';
import type { RowSource } from '../../imaging/rows.ts';
import type { ScratchImage } from '../../imaging/scratch-image.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { ModelSlot } from '../networks/model-slot.ts';
import type { RestoreOptions } from '../../options/restore-options.ts';
import type { ImageContext } from '../each-image.ts';
import type { Fallback, RunningOn, StepInfo } from '../result.ts';

/** What the steps of a restoration share. */
export interface StepContext extends ImageContext {
  readonly options: RestoreOptions;
  /** Whether the task has several images, so that a loaded network is used again. */
  readonly isBatch: boolean;
  /** Folder of scratch files. */
  readonly scratch: string;
  /** Devices to try, best first. */
  readonly devices: readonly SessionDevice[];
  /** Largest tile core in pixels, if an earlier worker ran out of memory. */
  readonly maxTile?: number | undefined;
  /** Where the step's network is held while it is loaded. */
  readonly slot: ModelSlot;
  /** To be called before a network is loaded, since what the step before reported does not hold for this one. */
  readonly onRunning: (on: RunningOn) => void;
}

/** What a step has made of a picture. */
export interface StepResult {
  readonly image: ScratchImage;
  readonly info: Omit<StepInfo, 'step' | 'seconds'>;
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
}

/** A step of a restoration: a picture in, a picture of the same size out. */
export interface ImageStep {
  /**
   * Fetches the weights, so that missing ones fail before any work.
   * @throws ModelUnavailableError, which says which file to get
   */
  prepare(context: Pick<StepContext, 'clock' | 'options'>): Promise<void>;
  /** The shape of what it makes of a picture. */
  shapeOf(source: ImageShape): ImageShape;
  /** Does it; the caller disposes of the image. */
  run(source: RowSource, context: StepContext): Promise<StepResult>;
}
