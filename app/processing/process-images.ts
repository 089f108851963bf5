import { stat } from 'node:fs/promises';
import { putInPlace } from '../files/put-in-place.ts';
import type { Animation } from '../imaging/codec/animation/animation.ts';
import { openAnimation } from '../imaging/codec/animation/animation.ts';
import { FrameWriter } from '../imaging/codec/animation/frame-writer.ts';
import type { DecodedImage } from '../imaging/codec/codec.ts';
import { decodeImage } from '../imaging/codec/codec.ts';
import { shownProfile } from '../imaging/codec/color/output-colors.ts';
import { colorsAlone } from '../imaging/codec/metadata/metadata.ts';
import type { Image, ImageShape } from '../imaging/image.ts';
import { ScratchImage } from '../imaging/scratch-image.ts';
import type { Finished, ImageContext, TaskRun, Writing } from './each-image.ts';
import { eachImage } from './each-image.ts';
import { resultPlace } from './result-place.ts';
import type { SourceTold } from './write-result.ts';
import { partialIn, writeResult } from './write-result.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import type { ResultInfo } from './result.ts';
import type { ImagesTask, TaskImage } from './tasks.ts';

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

/** A run over images. */
export interface ImagesRun extends TaskRun {
  readonly maxInputPixels: number;
}

/**
 * Decodes, works on and encodes the images of a task that no earlier worker finished, in their order. While some are encoded, the next
 * is decoded and worked on: at most one finished image waits for a place among them.
 * @throws what `eachImage` does
 */
export async function processImages<P>(task: ImagesTask, work: PixelWork<P>, run: ImagesRun): Promise<void> {
  const claimed = new Set<string>();
  const unwritten = new Set<ScratchImage>();
  const rung = readsResults(task) ? { ...run.rung, isOneByOne: true } : run.rung;
  await eachImage(task, { ...run, rung }, async (image, context) => {
    try {
      return await processImage(image, work, { ...run, task, claimed, unwritten, context });
    } finally {
      // What a step left as it failed, for which the next image may need the room.
      ScratchImage.disposeAll(run.scratch, unwritten);
    }
  });
}

/** Whether the result of one image may be the file of another, which has to be read after that. */
function readsResults({ images }: ImagesTask): boolean {
  const results = images.map(({ outputFile, outputStem }) => outputFile ?? outputStem);
  return images.some(({ file }) => results.some((result) => file.startsWith(result)));
}

interface ImageRun extends ImagesRun {
  readonly task: ImagesTask;
  /** Results of this task that are written or will be, which no other result may replace. */
  readonly claimed: Set<string>;
  /** Finished images that wait to be written. */
  readonly unwritten: Set<ScratchImage>;
  readonly context: ImageContext;
}

async function processImage<P>(image: TaskImage, work: PixelWork<P>, run: ImageRun): Promise<Finished | Writing> {
  const { task, claimed, unwritten, context, maxInputPixels } = run;
  const { clock } = context;
  const limits = { maxPixels: maxInputPixels, name: image.name };
  if (task.output.frames === 'all') {
    const animation = await clock.time('decode', () => openAnimation(image.file, limits));
    if (animation) return animateImage(image, animation, work, run);
  }
  const decoded = await clock.time('decode', () => decodeImage(image.file, limits));
  const { plan, shape } = await work.plan(decoded.image, context);
  const { metadata, isLossless } = decoded;
  context.sketch?.setProfile(shownProfile(shape, metadata));
  const place = await resultPlace(image, { source: metadata.format, shape }, { task, written: claimed, ...context });
  const made = await work.make(decoded.image, plan, context);
  claimed.add(place.file);
  unwritten.add(made.image);
  const source = { metadata, isLossless, warnings: [...decoded.warnings, ...place.warnings] };
  return writingOf(made, { ...run, ...place, source });
}

interface ResultWriting extends ImageRun {
  readonly file: string;
  readonly format: OutputFormat;
  readonly source: SourceTold;
}

/** Holds nothing of the source's pixels: the next image is there by then. */
function writingOf(made: Made, run: ResultWriting): Writing {
  const { file, format, source, task, claimed, unwritten, scratch, context } = run;
  const { clock } = context;
  return async (turn) => {
    const encoding = clock.span(made.encodingFrom, 1, { encoding: [0, 1] });
    encoding.at('encoding', 0);
    const how = { file, format, source, output: task.output, scratch, texts: made.texts ?? {} };
    try {
      const warnings = await clock.time('encode', () => writeResult(made.image, how, turn));
      encoding.at('encoding', 1);
      const told = [...source.warnings, ...made.info.warnings, ...warnings];
      const info = { ...made.info, format, warnings: told, seconds: clock.seconds() };
      return { file, bytes: (await stat(file)).size, info };
    } catch (error) {
      claimed.delete(file);
      throw error;
    } finally {
      unwritten.delete(made.image);
    }
  };
}

/** Works on one frame after another, and writes them as one result that moves; what is told of it is what is told of any frame. */
async function animateImage<P>(
  image: TaskImage,
  animation: Animation,
  work: PixelWork<P>,
  { task, claimed, context, scratch, maxInputPixels }: ImageRun,
): Promise<Writing> {
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
      context.sketch?.setProfile(shownProfile(shape, decoded.metadata));
      result ??= await movingResult(image, shape, animation, { task, claimed, context, scratch, decoded });
      const made = await work.make(frame, plan, { ...context, clock: share });
      const { writer } = result;
      await clock.time('encode', () => writer.add(made.image));
      made.info.warnings.forEach((warning) => warnings.add(warning));
      info ??= made.info;
      index++;
    }
    if (!result || !info) throw new RangeError('an animation has at least one frame');
    const { file, format, partial, writer } = result;
    writer.finish().forEach((warning) => warnings.add(warning));
    claimed.add(file);
    const told = { ...info, frames: index, format, warnings: [...warnings], seconds: clock.seconds() };
    return async (turn) => {
      try {
        await turn;
        await putInPlace(partial, file);
        return { file, bytes: (await stat(file)).size, info: told };
      } catch (error) {
        claimed.delete(file);
        throw error;
      }
    };
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
    claimed,
    context,
    scratch,
    decoded,
  }: Pick<ImageRun, 'task' | 'claimed' | 'context' | 'scratch'> & { readonly decoded: DecodedImage },
): Promise<MovingResult> {
  const { metadata: source } = decoded;
  const { file, format } = await resultPlace(
    image,
    { source: source.format, shape, moves: true },
    { task, written: claimed, ...context },
  );
  const { quality, lossless, metadata } = task.output;
  const partial = partialIn(scratch, format);
  const kept = metadata === 'keep' ? source : colorsAlone(source);
  const isSourceLossless = decoded.isLossless || source.format === 'gif';
  const options = { format, quality, lossless, isSourceLossless, metadata: kept };
  return { file, format, partial, writer: new FrameWriter({ file: partial, folder: scratch, options, animation }) };
}
