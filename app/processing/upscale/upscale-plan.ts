import type { Channels } from '../../imaging/image.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import type { Fallback, RunningOn, Size } from '../result.ts';
import type { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import type { AskedUpscale } from './upscale-outline.ts';

/** What is the same for all images of a task. */
export interface UpscaleTask extends AskedUpscale {
  readonly isBatch: boolean;
  /** A region of each image that alone is wanted, in its pixels; by default all of it. */
  readonly region?: Rectangle | undefined;
  /** Folder of scratch files. */
  readonly scratch: string;
  readonly excludedDevices: readonly string[];
  readonly maxTile?: number | undefined;
  /** Called before the first tile of an image. */
  readonly onRunning: (on: RunningOn) => void;
}

/** The size of a whole result, and the part of it that is wanted. */
export interface SizedResult {
  /** Of the result, or of the whole that a part is wanted of. */
  readonly size: Size;
  /** Where the part lies in it that is wanted; by default all of it is. */
  readonly part?: Rectangle | undefined;
}

/** What is going to be done to an image. */
export interface UpscalePlan extends SizedResult {
  /** The upscaler that was chosen. */
  readonly name: string;
  readonly channels: Channels;
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
  /** None if a Pillow filter does it. */
  readonly network?: RealESRGANUpscaler;
}
