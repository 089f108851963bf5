import type { Rectangle } from '../imaging/rectangle.ts';
import type { Size } from './result.ts';

/** What a job is doing; the names of the `progress` event. `calibrating` and `measuring` are of `models optimize`, which is no job. */
export type Stage =
  | 'queued'
  | 'downloading'
  | 'loading'
  | 'upscaling'
  | 'detecting'
  | 'restoring'
  | 'colorizing'
  | 'calibrating'
  | 'measuring'
  | 'resizing'
  | 'encoding';

/** How far a job's work has come, as the worker reports it. Fractions are 0..1. */
export interface WorkProgress {
  readonly stage: Stage;
  /** Of the whole task, never falling within one worker's run. */
  readonly progress: number;
  readonly stageProgress: number;
  /** 1-based index of the image at work, of `images`. */
  readonly image: number;
  readonly images: number;
  /** Tiles finished, of `tiles`; while a network runs. */
  readonly tile?: number;
  readonly tiles?: number;
  /** The tile that was finished last, in pixels of the picture that is being made; `picture` is that one's size. */
  readonly tileRegion?: Rectangle;
  readonly picture?: Size;
  /** While weights are downloaded. */
  readonly downloadedBytes?: number;
  readonly totalBytes?: number;
  /** Until the task is done, by the pace of its work so far; absent before that can be told. */
  readonly secondsLeft?: number;
}
