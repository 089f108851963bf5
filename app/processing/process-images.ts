import { stat } from 'node:fs/promises';
import { HiresFixError } from '../errors.ts';
import { putInPlace } from '../files/put-in-place.ts';
import { join } from 'node:path';
import type { Animation } from '../imaging/codec/animation/animation.ts';
import { openAnimation } from '../imaging/codec/animation/animation.ts';
import type { FrameWriter } from '../imaging/codec/animation/frame-writer.ts';
import { frameWriter } from '../imaging/codec/animation/frame-writer.ts';
import { withTexts } from '../imaging/codec/image-texts.ts';
import type { DecodedImage } from '../imaging/codec/codec.ts';
import { decodeImage, encodeImage } from '../imaging/codec/codec.ts';
import { colorsAlone } from '../imaging/codec/metadata.ts';
import type { Image, ImageShape } from '../imaging/image.ts';
import { ScratchImage } from '../imaging/scratch-image.ts';
import { SketchFile } from '../imaging/sketch-file.ts';
import { resultPlace } from './result-place.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import { extensionOf } from '../options/output-formats.ts';
import type { WorkProgress } from './progress.ts';
import type { ImageResult, ResultInfo, RunningOn } from './result.ts';
import { StageClock } from './stage-clock.ts';
import type { Rung, ImagesTask, TaskImage } from './tasks.ts';
import type { OutputOptions } from '../options/output-options.ts';

/** Callbacks of a run: what happens to the images of a task. */
export interface ProcessorHooks {
  /** Work on an image begins. */
  onImage(index: number): void;
  onProgress(progress: WorkProgress): void;
  /** A network is about to run there; should the worker die, the next one falls back from this. */
  onRunning(on: RunningOn): void;
  onResult(result: ImageResult): void;
  /** One image could not be read or made; work goes on with the others. */
  onImageFailed(index: number, error: unknown): void;
}

/** What the work on one image of a task is given. */
export interface ImageContext {
  readonly clock: StageClock;
  /** Whether its faces are left as they are, because an earlier worker died over them (`Rung.withoutFaces`). */
  readonly leavesFaces: boolean;
}

/** A finished image, and the record of how it was made. */
export interface Made {
  readonly image: ScratchImage;
  /** How far the image's progress has come when it is made, 0..1; the rest is encoding it. */
  readonly encodingFrom: number;
  readonly info: Omit<ResultInfo, 'format' | 'seconds'>;
  /** Texts to be written into the file by their names, where its format holds texts. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** What a kind of task does to the pixels of one image. */
export interface PixelWork<P> {
  /**
   * Decides what will be done. What can fail early (sizes, missing weights) fails here, before any work.
   * @returns also the shape that the result will have
   */
  plan(image: Image, context: ImageContext): Promise<{ readonly plan: P; readonly shape: ImageShape }>;
  make(image: Image, plan: P, context: ImageContext): Promise<Made>;
}

/** One worker's run of a task: what it must do without, where its scratch files go, and who is told. */
export interface TaskRun {
  readonly rung: Rung;
  /** A folder for this worker's scratch files. */
  readonly scratch: string;
  readonly hooks: ProcessorHooks;
}

/** A run over images. */
export interface ImagesRun extends TaskRun {
  readonly maxInputPixels: number;
}

/**
 * Decodes, works on and encodes, one after another, the images of a task that no earlier worker finished.
 * @throws what `eachImage` does
 */
export async function processImages<P>(task: ImagesTask, work: PixelWork<P>, run: ImagesRun): Promise<void> {
  const written = new Set<string>();
  await eachImage(task, run, async (image, context) => {
    try {
      return await processImage(image, work, { ...run, task, written, context });
    } finally {
      ScratchImage.disposeAll(run.scratch); // what a step left as it failed, for which the next image may need the room
    }
  });
}

/**
 * Does something with one image after another of a task, but for those that an earlier worker finished.
 * @throws what is wrong with the task and not with one image; InferenceError where the device or its memory failed, so that
 * another worker may do better
 */
export async function eachImage(
  { images }: Pick<ImagesTask, 'images'>,
  { rung, hooks }: Pick<TaskRun, 'rung' | 'hooks'>,
  work: (image: TaskImage, context: ImageContext) => Promise<Omit<ImageResult, 'index'>>,
): Promise<void> {
  for (const [index, image] of images.entries()) {
    if (rung.finished.includes(index)) continue;
    hooks.onImage(index);
    const which = { image: index, images: images.length };
    const sketch = image.sketchFile === undefined ? undefined : new SketchFile(image.sketchFile);
    const clock = StageClock.ofImage(which, (progress, made) => {
      if (made && (progress.tiles ?? 1) > 1) sketch?.paint(made);
      hooks.onProgress(progress);
    });
    const leavesFaces = rung.withoutFaces?.includes(index) ?? false;
    try {
      hooks.onResult({ index, ...(await work(image, { clock, leavesFaces })) });
    } catch (error) {
      if (error instanceof HiresFixError && error.fault !== 'image') throw error;
      hooks.onImageFailed(index, error);
    } finally {
      sketch?.dispose();
    }
  }
}

interface ImageRun extends ImagesRun {
  readonly task: ImagesTask;
  /** Results of this task, which no other result may replace. */
  readonly written: Set<string>;
  readonly context: ImageContext;
}

async function processImage<P>(
  image: TaskImage,
  work: PixelWork<P>,
  { task, written, context, scratch, maxInputPixels }: ImageRun,
): Promise<Omit<ImageResult, 'index'>> {
  const { clock } = context;
  const limits = { maxPixels: maxInputPixels, name: image.name };
  if (task.output.frames === 'all') {
    const animation = await clock.time('decode', () => openAnimation(image.file, limits));
    if (animation) return animateImage(image, animation, work, { task, written, context, scratch, maxInputPixels });
  }
  const decoded = await clock.time('decode', () => decodeImage(image.file, limits));
  const { plan, shape } = await work.plan(decoded.image, context);
  const place = { source: decoded.metadata.format, shape };
  const { file, format, warnings: told } = await resultPlace(image, place, { task, written });
  const made = await work.make(decoded.image, plan, context);
  const encoding = clock.span(made.encodingFrom, 1, { encoding: [0, 1] });
  encoding.at('encoding', 0);
  const how = { file, format, decoded, output: task.output, scratch, texts: made.texts ?? {} };
  const warnings = await clock.time('encode', () => encode(made.image, how));
  written.add(file);
  encoding.at('encoding', 1);
  return {
    file,
    bytes: (await stat(file)).size,
    info: {
      ...made.info,
      format,
      warnings: [...decoded.warnings, ...told, ...made.info.warnings, ...warnings],
      seconds: clock.seconds(),
    },
  };
}

/** Works on one frame after another, and writes them as one result that moves; what is told of it is what is told of any frame. */
async function animateImage<P>(
  image: TaskImage,
  animation: Animation,
  work: PixelWork<P>,
  { task, written, context, scratch, maxInputPixels }: Omit<ImageRun, keyof TaskRun> & Pick<ImageRun, 'scratch'>,
): Promise<Omit<ImageResult, 'index'>> {
  const { clock } = context;
  const limits = { maxPixels: maxInputPixels, name: image.name, usesAllFrames: true };
  const decoded = await clock.time('decode', () => decodeImage(image.file, limits));
  const warnings = new Set(decoded.warnings);
  let result: MovingResult | undefined;
  let info: Made['info'] | undefined;
  let index = 0;
  try {
    for await (const frame of animation.frames()) {
      const share = clock.span(index / animation.count, (index + 1) / animation.count);
      const { plan, shape } = await work.plan(frame, { ...context, clock: share });
      result ??= await movingResult(image, shape, animation, { task, written, scratch, decoded });
      const made = await work.make(frame, plan, { ...context, clock: share });
      const { writer } = result;
      await clock.time('encode', () => writer.add(made.image));
      made.image.dispose();
      made.info.warnings.forEach((warning) => warnings.add(warning));
      info ??= made.info;
      index++;
    }
    if (!result || !info) throw new RangeError('an animation has at least one frame');
    const { file, format, partial, writer } = result;
    (await clock.time('encode', () => writer.finish())).forEach((warning) => warnings.add(warning));
    await putInPlace(partial, file);
    written.add(file);
    const bytes = (await stat(file)).size;
    return { file, bytes, info: { ...info, frames: index, format, warnings: [...warnings], seconds: clock.seconds() } };
  } finally {
    result?.writer.dispose();
  }
}

interface MovingResult {
  readonly file: string;
  readonly format: OutputFormat;
  readonly partial: string;
  readonly writer: FrameWriter;
}

/** Where a result that moves goes, and what writes it. */
async function movingResult(
  image: TaskImage,
  shape: ImageShape,
  animation: Animation,
  {
    task,
    written,
    scratch,
    decoded,
  }: Pick<ImageRun, 'task' | 'written' | 'scratch'> & { readonly decoded: DecodedImage },
): Promise<MovingResult> {
  const { metadata: source } = decoded;
  const { file, format } = await resultPlace(image, { source: source.format, shape, moves: true }, { task, written });
  const { quality, lossless, metadata } = task.output;
  const partial = join(scratch, `result.${extensionOf(format)}`);
  const kept = metadata === 'keep' ? source : colorsAlone(source);
  const isSourceLossless = decoded.isLossless || source.format === 'gif';
  const options = { format, quality, lossless, isSourceLossless, metadata: kept };
  return { file, format, partial, writer: frameWriter({ file: partial, folder: scratch, options, animation }) };
}

/** Writes under a scratch name and renames: a file at `file` is always whole. */
async function encode(
  image: ScratchImage,
  how: {
    readonly file: string;
    readonly format: OutputFormat;
    readonly decoded: DecodedImage;
    readonly output: OutputOptions;
    readonly scratch: string;
    readonly texts: NonNullable<Made['texts']>;
  },
): Promise<readonly string[]> {
  const { file, format, decoded, scratch, texts } = how;
  const { quality, lossless, metadata } = how.output;
  const partial = join(scratch, `result.${extensionOf(format)}`); // short: a name of its own may be as long as a name can be
  try {
    const source = Object.keys(texts).length > 0 ? withTexts(decoded.metadata, format, texts) : decoded.metadata;
    const kept = metadata === 'keep' ? source : colorsAlone(source);
    const written = { format, quality, lossless, isSourceLossless: decoded.isLossless, metadata: kept };
    const warnings = await encodeImage(image, partial, written);
    await putInPlace(partial, file);
    return warnings;
  } finally {
    image.dispose();
  }
}
