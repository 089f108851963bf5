import type { SessionDevice } from '../inference/devices.ts';
import type { Rectangle } from '../imaging/rectangle.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import type { ColorFix, Device, Precision } from '../options/upscale-options.ts';

/** A step down from what was asked, with the reason. Callers are told of every one. */
export interface Fallback {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where a network runs. */
export interface RunningOn {
  readonly device: SessionDevice;
  /** Core side in input pixels; 0 is the whole image. */
  readonly tile: number;
  /** The longer side of the picture that is cut into tiles, in pixels; 0 when the network cannot run on tiles. */
  readonly side: number;
  /** For work that can be left out: the fallback to record when the worker dies over it on the last device. */
  readonly withoutIt?: Omit<Fallback, 'reason'>;
}

/** What one step of a restoration did. */
export interface StepInfo extends FaceInfo {
  readonly step: string;
  /** The weights' file name; of `face`, which has several, the catalogue name of what restores. */
  readonly model: string;
  readonly sha256?: string;
  readonly architecture?: string;
  /** None where no network had to run. */
  readonly device?: string;
  readonly seconds: number;
  readonly tiles?: number;
  /** Core side of a tile in pixels; 0 is the whole image. */
  readonly tile?: number;
  readonly halo?: number;
  /** DeOldify: the side of the square that it painted is 16 times this. */
  readonly render_factor?: number;
}

/** A network that looked at faces. */
export interface FaceModelUse {
  /** The weights' file name. */
  readonly model: string;
  readonly sha256: string;
  readonly device: string;
}

/** What was done about the faces of an image; all of it is missing where nothing was asked. */
export interface FaceInfo {
  /** Catalogue name of the network that restores. */
  readonly face_model?: string;
  readonly faces_found?: number;
  readonly faces_restored?: number;
  readonly face_restoration_strength?: number;
  /** CodeFormer only. */
  readonly fidelity?: number;
  /** Every network that ran, in order. */
  readonly face_models?: readonly FaceModelUse[];
}

/** What was done to one image: the record that a result carries (`info`, the `X-` headers). Snake case: it is public JSON. */
export interface ResultInfo extends FaceInfo {
  /** The upscaler that ran: an `UpscalerType` or a file's stem; none where the image was restored. */
  readonly upscaler?: string;
  readonly asked_upscaler?: string;
  /** The steps of a restoration, in their order. */
  readonly steps?: readonly StepInfo[];
  /** The weights' file name; none for Pillow's filters. */
  readonly model?: string;
  readonly weights_sha256?: string;
  readonly architecture?: string;
  /** Share of the named weights where they were blended with those of another model. */
  readonly denoise_strength?: number;
  /** The network's own scale; none for Pillow's filters. */
  readonly native_scale?: number;
  /** Output width over input width. */
  readonly scale: number;
  readonly passes?: number;
  readonly input: Size;
  /** Of the whole result, also where only a part of it was made. */
  readonly output: Size;
  /** The part of the result that was made (`POST /preview`), in its pixels; none: all of it. */
  readonly region?: Rectangle;
  readonly tiles?: number;
  /** Core side of a tile in input pixels; 0 is the whole image. */
  readonly tile?: number;
  /** Input pixels around a tile's core that the network saw. */
  readonly halo?: number;
  /** The upscaler of a second picture that covers the first, and by how much. */
  readonly blended_with?: {
    readonly upscaler: string;
    /** 0..1 */
    readonly visibility: number;
    readonly model?: string | undefined;
    readonly sha256?: string | undefined;
  };
  /** What was done to the picture before it was enlarged (`clean`). */
  readonly cleaned_by?: Omit<StepInfo, 'step'>;
  /** By what the colours of the result were corrected, where they were. */
  readonly colour_fix?: Exclude<ColorFix, 'none'>;
  /** PSNR in dB of the result, reduced to the source's size by BICUBIC, against the source; null where they are equal. */
  readonly psnr_reduced?: number | null;
  /** Mirrored views that the result is the mean of, where there was more than one; of the first pass. */
  readonly tta?: number;
  readonly device_asked?: Device;
  readonly device?: string;
  readonly precision_asked?: Precision;
  /** What the network ran in. */
  readonly precision?: Exclude<Precision, 'auto'>;
  /** Why it was not int8, or in what way that is not what was asked; none where there is nothing to say. */
  readonly precision_reason?: string;
  /** Of int8: how near it comes to the truth and to fp32, as measured, in words. */
  readonly precision_fidelity?: string;
  /** Frames of a result that moves. */
  readonly frames?: number;
  readonly format: OutputFormat | 'json';
  readonly fallbacks: readonly Fallback[];
  readonly warnings: readonly string[];
  /** Seconds by stage: decode, load, upscale, resize, encode, total. Of an image with others after it, encode has some of their work in it. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** One finished image. */
export interface ImageResult {
  /** Index in the task's images, from 0. */
  readonly index: number;
  readonly file: string;
  readonly bytes: number;
  readonly info: ResultInfo;
}

/** What made an image, in a few words: its upscaler, the models of its steps, or what restored its face. */
export function makerOf({
  upscaler,
  steps,
  face_model: faceModel = '',
}: Pick<ResultInfo, 'upscaler' | 'steps' | 'face_model'>): string {
  return upscaler ?? steps?.map(({ model }) => model).join(', ') ?? faceModel;
}
