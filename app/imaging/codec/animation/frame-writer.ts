import { readFileSync, rmSync } from 'node:fs';
import { changedPart } from '../../changed-part.ts';
import { rowsInto } from '../../rows-into.ts';
import { croppedRows } from '../../rows.ts';
import type { ScratchImage } from '../../scratch-image.ts';
import type { EncodeOptions } from '../codec.ts';
import { encodeImage } from '../codec.ts';
import { ApngFile } from './apng-file.ts';
import type { AnimationTimes, MovingFile } from './moving-file.ts';
import { WebpFile } from './webp-file.ts';

/** Where frames go, and how they are written. */
export interface FrameTarget {
  /** The file; it may be there in part until it is finished. */
  readonly file: string;
  /** Of scratch files. */
  readonly folder: string;
  readonly options: EncodeOptions;
  readonly animation: AnimationTimes;
}

/**
 * Writes the frames of a result that moves, one after another, all of one shape, in a format that holds frames. Of each what differs from
 * the one before is encoded by itself, so that memory is that of one frame, however many there are.
 */
export class FrameWriter {
  readonly #target: FrameTarget;
  readonly #file: MovingFile;
  #previous: ScratchImage | undefined;
  #warnings: readonly string[] | undefined;
  #isOpen = true;

  constructor(target: FrameTarget) {
    this.#target = target;
    const { file, animation, options } = target;
    this.#file = options.format === 'png' ? new ApngFile(file, animation) : new WebpFile(file, animation);
  }

  /**
   * Takes the frame over, and disposes of it.
   * @throws OutputFormatError, ScratchSpaceError
   */
  async add(frame: ScratchImage): Promise<void> {
    const previous = this.#previous;
    this.#previous = frame;
    if (!previous) return this.#write(frame, { x: 0, y: 0 });
    const part = changedPart(previous, frame);
    previous.dispose();
    const cut = rowsInto(croppedRows(frame, part), this.#target.folder);
    try {
      await this.#write(cut, part);
    } finally {
      cut.dispose();
    }
  }

  /**
   * Completes the file.
   * @returns warnings, one sentence each
   */
  finish(): readonly string[] {
    this.#file.finish();
    this.#isOpen = false;
    return this.#warnings ?? [];
  }

  /** Does away with what is left of it, complete or not. */
  dispose(): void {
    this.#previous?.dispose();
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }

  async #write(image: ScratchImage, at: { readonly x: number; readonly y: number }): Promise<void> {
    const still = `${this.#target.file}.frame`;
    const warnings = await encodeImage(image, still, this.#target.options);
    this.#warnings ??= warnings;
    this.#file.add(readFileSync(still), at);
    rmSync(still);
  }
}
