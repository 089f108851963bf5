import type { Rectangle } from '../../rectangle.ts';

/** A file that moves, written frame by frame from whole files of still pictures. */
export interface MovingFile {
  /**
   * @param still what lies in the place of what was there; what the first says besides its pixels goes for the whole
   * @param at where it lies in the first, which fills the canvas
   */
  add(still: Buffer, at: Pick<Rectangle, 'x' | 'y'>): void;
  /** Ends and closes the file. */
  finish(): void;
  close(): void;
}

/** How a moving picture is shown. */
export interface AnimationTimes {
  /** How long each frame is shown, in milliseconds. */
  readonly times: readonly number[];
  /** How often it plays; 0 is for ever. */
  readonly plays: number;
}
