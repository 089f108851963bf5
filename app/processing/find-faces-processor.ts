import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { decodeImage } from '../imaging/codec/codec.ts';
import { rowsOf } from '../imaging/rows.ts';
import type { FaceContext } from './faces/face-pipeline.ts';
import type { FaceModelName } from '../options/face-options.ts';
import { faceJobSettings } from '../options/face-options.ts';
import type { FaceRestorer } from './faces/face-restorer.ts';
import type { Face } from './faces/face.ts';
import { faceSize } from './faces/face.ts';
import type { ImageContext, TaskRun } from './each-image.ts';
import { eachImage } from './each-image.ts';
import type { ImageResult } from './result.ts';
import type { StageClock } from './stage-clock.ts';
import { taskDevices } from './networks/task-devices.ts';
import type { FindFacesTask, TaskImage } from './tasks.ts';

/** A face as it is listed: what a caller chooses by. Public JSON. */
export interface FaceView {
  /** By which `faces` of a face restoration with the same `face_model` names it. */
  readonly index: number;
  /** Left, top, right, bottom, in pixels of the image; may reach beyond it. */
  readonly box: readonly number[];
  /** Left eye, right eye, nose, left and right corner of the mouth, as they stand in the image. */
  readonly landmarks: readonly (readonly number[])[];
  /** How sure the detector is, 0..1. */
  readonly score: number;
  /** The shorter side of the box, in pixels: what `min_face_size` is about. */
  readonly size: number;
}

type Shared = Omit<FaceContext, keyof ImageContext>;

type FindFacesConfig = Pick<Config, 'device' | 'forceCpu' | 'faceRestorationStrength' | 'maxInputPixels' | 'modelFace'>;

/** Lists the faces of images, each image's in a JSON file: `{"faces": [...]}`. */
export class FindFacesProcessor {
  readonly #config: FindFacesConfig;
  readonly #faces: FaceRestorer;

  constructor(config: FindFacesConfig, faces: FaceRestorer) {
    this.#config = config;
    this.#faces = faces;
  }

  /**
   * Works through the images that no earlier worker finished.
   * @throws what `eachImage` does
   */
  async process(task: FindFacesTask, run: TaskRun): Promise<void> {
    const { rung, scratch, hooks } = run;
    const { model } = faceJobSettings(task.options, this.#config);
    const devices = taskDevices(this.#config, { ...task, ...rung });
    const shared: Shared = { scratch, devices, onRunning: hooks.onRunning.bind(hooks) };
    await eachImage(task, run, (image, context) => this.#list(image, model, { ...shared, ...context }));
  }

  async #list(
    { file: source, name, outputStem }: TaskImage,
    model: FaceModelName,
    shared: FaceContext,
  ): Promise<Omit<ImageResult, 'index'>> {
    const clock = shared.clock.span(0, 1, { detecting: [0.1, 1] });
    const context = { ...shared, clock };
    const { image, warnings } = await decode(source, { maxPixels: this.#config.maxInputPixels, name }, clock);
    const { faces, info, fallbacks } = await this.#faces.find(rowsOf(image), model, context);
    const file = `${outputStem}.json`;
    const partial = join(context.scratch, 'faces.json');
    await writeFile(partial, JSON.stringify({ faces: faces.map(viewOf) }));
    await rename(partial, file);
    const { width, height } = image;
    const told = {
      input: { width, height },
      output: { width, height },
      scale: 1,
      format: 'json' as const,
      fallbacks,
      warnings,
    };
    return { file, bytes: (await stat(file)).size, info: { ...info, ...told, seconds: clock.seconds() } };
  }
}

async function decode(file: string, limits: Parameters<typeof decodeImage>[1], clock: StageClock) {
  return clock.time('decode', () => decodeImage(file, limits));
}

function viewOf(face: Face, index: number): FaceView {
  const pixels = (value: number): number => Math.round(value * 100) / 100;
  return {
    index,
    box: face.box.map(pixels),
    landmarks: face.landmarks.map((point) => point.map(pixels)),
    score: Math.round(face.score * 1e4) / 1e4,
    size: pixels(faceSize(face)),
  };
}
