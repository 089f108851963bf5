import { HiresFixError } from '../errors.ts';
import { SketchFile } from '../imaging/sketch-file.ts';
import { OrderedWrites } from './ordered-writes.ts';
import type { WorkProgress } from './progress.ts';
import type { ImageResult, RunningOn } from './result.ts';
import { StageClock } from './stage-clock.ts';
import type { ImagesTask, Rung, TaskImage } from './tasks.ts';

/** Callbacks of a run: what happens to the images of a task. */
export interface ProcessorHooks {
  /** Work on an image begins. */
  onImage(index: number): void;
  onProgress(progress: WorkProgress): void;
  /** A network is about to run there; should the worker die, the next one falls back from this. */
  onRunning(on: RunningOn): void;
  /** The result of an image is about to get its name; should the worker die, it may be there though nobody was told. */
  onPlacing(index: number): void;
  onResult(result: ImageResult): void;
  /** One image could not be read or made; work goes on with the others. */
  onImageFailed(index: number, error: unknown): void;
}

/** What the work on one image of a task is given. */
export interface ImageContext {
  readonly clock: StageClock;
  /** Whether its faces are left as they are, because an earlier worker died over them (`Rung.withoutFaces`). */
  readonly leavesFaces: boolean;
  /** Whether a result may be where its own goes, of an earlier worker that died before it said so (`Rung.mayReplace`). */
  readonly mayReplace: boolean;
  /** What is shown of its result as it is made, where somebody may watch. */
  readonly sketch?: SketchFile | undefined;
}

/** One worker's run of a task: what it must do without, where its scratch files go, and who is told. */
export interface TaskRun {
  readonly rung: Rung;
  /** A folder for this worker's scratch files. */
  readonly scratch: string;
  readonly hooks: ProcessorHooks;
}

/** What becomes of an image, but for its place in the task. */
export type Finished = Omit<ImageResult, 'index'>;
/** Writes an image that is made, and puts it in place when its turn comes. */
export type Writing = (turn: Promise<void>) => Promise<Finished>;

/**
 * Does something with one image after another of a task, but for those that an earlier worker finished. What `work` leaves to be
 * written is written while the next images are worked on, and told of before they are.
 * @throws what is wrong with the task and not with one image; InferenceError where the device or its memory failed, so that
 * another worker may do better
 */
export async function eachImage(
  { images }: Pick<ImagesTask, 'images'>,
  { rung, hooks }: Pick<TaskRun, 'rung' | 'hooks'>,
  work: (image: TaskImage, context: ImageContext) => Promise<Finished | Writing>,
): Promise<void> {
  const writes = new OrderedWrites();
  let told = 0;
  try {
    for (const [index, image] of images.entries()) {
      if (rung.finished.includes(index)) continue;
      hooks.onImage(index);
      const sketch = image.sketchFile === undefined ? undefined : new SketchFile(image.sketchFile);
      const clock = StageClock.ofImage({ image: index, images: images.length }, (progress, made) => {
        if (made && (progress.tiles ?? 1) > 1) sketch?.paint(made);
        if (index < told) return; // the next image has told how far it is, and progress never falls
        told = index;
        hooks.onProgress(progress);
      });
      const leavesFaces = rung.withoutFaces?.includes(index) ?? false;
      const mayReplace = rung.mayReplace?.includes(index) ?? false;
      const made = await outcomeOf(work(image, { clock, leavesFaces, mayReplace, sketch }));
      await writes.add((turn) => tell({ index, made, turn }, hooks).finally(() => sketch?.dispose()));
      if (rung.isOneByOne === true || 'error' in made) await writes.through();
    }
    await writes.through();
  } finally {
    await writes.ended();
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}

/** What became of an image, until it is told. */
interface Untold {
  readonly index: number;
  readonly made: Outcome<Finished | Writing>;
  readonly turn: Promise<void>;
}

async function tell({ index, made, turn }: Untold, hooks: ProcessorHooks): Promise<void> {
  const placing = turn.then(() => hooks.onPlacing(index));
  placing.catch(() => undefined); // `turn` tells of it
  const written = 'value' in made ? await outcomeOf(finished(made.value, placing)) : made;
  await turn;
  if ('value' in written) {
    hooks.onResult({ index, ...written.value });
    return;
  }
  const { error } = written;
  if (error instanceof HiresFixError && error.fault !== 'image') throw error;
  hooks.onImageFailed(index, error);
}

async function finished(value: Finished | Writing, turn: Promise<void>): Promise<Finished> {
  return typeof value === 'function' ? value(turn) : value;
}
