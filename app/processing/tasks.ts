import type { Rectangle } from '../imaging/rectangle.ts';
import type { ExtrasOptions } from '../options/extras-options.ts';
import type { FaceSettings } from '../options/face-options.ts';
import type { FaceOptions } from '../options/face-task-options.ts';
import type { FindFacesOptions } from '../options/find-faces-options.ts';
import type { RestoreOptions, RestoreStep } from '../options/restore-options.ts';
import type { OutputOptions } from '../options/output-options.ts';
import type { UpscaleOptions } from '../options/upscale-options.ts';

/** One image of a task: a file to read, the name its owner gave it, and where the result goes. */
export interface TaskImage {
  readonly file: string;
  readonly name: string;
  /** The result's path without an extension; the one of the format that is written is added. */
  readonly outputStem: string;
  /** The result's whole path, when its name is fixed; used instead of `outputStem`. */
  readonly outputFile?: string;
  /** Where what is finished of it may be looked at while tiles are run, in small; by default nowhere. */
  readonly sketchFile?: string;
}

/** A task that makes one image of each image. */
export interface ImagesTask {
  readonly images: readonly TaskImage[];
  readonly output: OutputOptions;
  /** Whether a file that is there may be replaced by a result. */
  readonly mayOverwrite?: boolean;
}

/** Upscale a list of images with one configuration; the model is loaded once. */
export interface HiresFixTask extends ImagesTask {
  readonly kind: 'hires-fix';
  readonly options: UpscaleOptions;
  /** Path of a checkpoint, which the command line may name; used instead of `options.upscaler`. */
  readonly modelFile?: string;
  /** Why AUTO does without the networks that it would have to fetch. */
  readonly autoGoesWithout?: string;
  /** How faces are restored; without it, `options` say whether and how. */
  readonly faces?: FaceSettings;
}

/** Upscale a region of one picture by several upscalers, one after another: `images` are as many as these, all of the same file. */
export interface PreviewTask extends ImagesTask {
  readonly kind: 'preview';
  readonly upscalers: readonly string[];
  /** In pixels of the picture. */
  readonly region: Rectangle;
  /** For each of them; its `upscaler` and what it says of faces do not count. */
  readonly options: UpscaleOptions;
}

/** Do to a list of images what the "extras" of the A1111 WebUI do. */
export interface ExtrasTask extends ImagesTask {
  readonly kind: 'extras';
  readonly options: ExtrasOptions;
}

/** Restore the faces of a list of images. */
export interface FaceTask extends ImagesTask {
  readonly kind: 'face';
  readonly options: FaceOptions;
}

/** List the faces of images. The results are JSON files, to which `output` does not apply. */
export interface FindFacesTask extends ImagesTask {
  readonly kind: 'find-faces';
  readonly options: FindFacesOptions;
}

/** Repair or colour a list of images, which keep their size. */
export interface RestoreTask extends ImagesTask {
  readonly kind: 'restore';
  /** What is done to each image, in this order; at least one, none twice. */
  readonly steps: readonly RestoreStep[];
  readonly options: RestoreOptions;
}

/** Put a model in place, fetching it if it is missing. Makes no images. */
export interface DownloadTask {
  readonly kind: 'download';
  /** As the catalogue names it. */
  readonly model: string;
}

/** Feed one tensor file to the bare network of a checkpoint (`hiresfix models run`): how conformance is measured. */
export interface RunNetworkTask {
  readonly kind: 'run-network';
  readonly checkpoint: string;
  /** A `.safetensors` with `input`: float32 [N, C, H, W] in the range the reference network takes. */
  readonly input: string;
  /** A `.safetensors` that is written: float32 `output`, not clipped. */
  readonly output: string;
}

/** Make the int8 form of a checkpoint's network, and measure it (`hiresfix models optimize`). */
export interface OptimizeTask {
  readonly kind: 'optimize-model';
  readonly checkpoint: string;
  /** Image files to calibrate on; none: the project's own scenes. */
  readonly images: readonly string[];
}

/** A rung of the fallback ladder: what a worker must do without because of how earlier ones failed at the task. */
export interface Rung {
  /** Devices that failed before in this task. */
  readonly excludedDevices: readonly string[];
  /** Largest tile core in input pixels, where an earlier worker ran out of memory or died. */
  readonly maxTile?: number;
  /** Images finished by earlier workers, by index. */
  readonly finished: readonly number[];
  /** Images whose faces are left as they are, because an earlier worker died over them; by index. */
  readonly withoutFaces?: readonly number[];
  /** Images whose result an earlier worker that died may have put in place; by index. */
  readonly mayReplace?: readonly number[];
  /** Whether each image is written before the next is begun, because an earlier worker died while two were at work. */
  readonly isOneByOne?: boolean;
}
