import { readFileSync, rmSync } from 'node:fs';
import { copyRows } from '../../rows.ts';
import { ScratchImage } from '../../scratch-image.ts';
import type { EncodeOptions } from '../codec.ts';
import { encodeImage } from '../codec.ts';
import type { AnimationTimes } from './apng-file.ts';
import { ApngFile } from './apng-file.ts';

/** Takes the frames of a result that moves, one after another, all of one shape. */
export interface FrameWriter {
  /** The caller disposes of the frame. */
  add(frame: ScratchImage): Promise<void>;
  /**
   * Completes the file.
   * @returns warnings, one sentence each
   */
  finish(): Promise<readonly string[]>;
  /** Does away with what is left of it, complete or not. */
  dispose(): void;
}

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
 * For the formats that hold frames. No more than one frame is in memory.
 * @throws OutputFormatError, ScratchSpaceError here and from what it gives
 */
export function frameWriter(target: FrameTarget): FrameWriter {
  return target.options.format === 'png' ? new PngFrames(target) : new WebpFrames(target);
}

class PngFrames implements FrameWriter {
  readonly #target: FrameTarget;
  readonly #file: ApngFile;
  #warnings: readonly string[] | undefined;
  #isOpen = true;

  constructor(target: FrameTarget) {
    this.#target = target;
    this.#file = new ApngFile(target.file, target.animation);
  }

  async add(frame: ScratchImage): Promise<void> {
    const still = `${this.#target.file}.frame`;
    const warnings = await encodeImage(frame, still, this.#target.options);
    this.#warnings ??= warnings;
    this.#file.add(readFileSync(still));
    rmSync(still);
  }

  finish(): Promise<readonly string[]> {
    this.#file.finish();
    this.#isOpen = false;
    return Promise.resolve(this.#warnings ?? []);
  }

  dispose(): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }
}

/** libvips writes them at once, from a strip of all frames on disk. */
class WebpFrames implements FrameWriter {
  readonly #target: FrameTarget;
  #strip: ScratchImage | undefined;

  constructor(target: FrameTarget) {
    this.#target = target;
  }

  add(frame: ScratchImage): Promise<void> {
    const { width, height, channels, depth } = frame;
    const whole = { width, height: height * this.#target.animation.times.length, channels, depth };
    this.#strip ??= ScratchImage.create(this.#target.folder, whole);
    copyRows(frame, this.#strip);
    return Promise.resolve();
  }

  async finish(): Promise<readonly string[]> {
    const { file, options, animation } = this.#target;
    if (!this.#strip) throw new RangeError('an animation has at least one frame');
    return encodeImage(this.#strip, file, { ...options, animation });
  }

  dispose(): void {
    this.#strip?.dispose();
  }
}
