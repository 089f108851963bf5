import type { ColorFix } from './upscale-options.ts';

/** An upscaler of the extras, by a name that `upscaler` of an upscale takes. */
export interface ExtrasUpscaler {
  readonly upscaler: string;
  /** REALESR_GENERAL_X4_V3 only: how much of the general model, 0..1. */
  readonly denoiseStrength?: number | undefined;
}

/** The size of the result: a factor, or a box that the picture covers, its ratio kept. */
export type ExtrasSize =
  | { readonly scale: number }
  | {
      readonly width: number;
      readonly height: number;
      /** Whether what reaches beyond the box is cut off, as much on both sides. */
      readonly isCropped: boolean;
    };

/** What the "extras" of the A1111 WebUI do to an image. Visibilities are 0..1; 0 does nothing. */
export interface ExtrasOptions {
  readonly size: ExtrasSize;
  readonly first: ExtrasUpscaler;
  /** Makes the same picture once more, which then covers the first one's by its visibility. */
  readonly second?: (ExtrasUpscaler & { readonly visibility: number }) | undefined;
  readonly gfpganVisibility: number;
  readonly codeformerVisibility: number;
  /** 0 is the best looking face, 1 the most like the one given. */
  readonly codeformerWeight: number;
  /** By what the colours of what the upscalers made are corrected. */
  readonly colorFix?: ColorFix | undefined;
  /** A network of scale 1 that runs before them. */
  readonly clean?: string | undefined;
  /** What is written into a PNG as its text `postprocessing`. */
  readonly text: string;
}

/** Whether faces are to be restored. */
export function restoresFaces({ gfpganVisibility, codeformerVisibility }: ExtrasOptions): boolean {
  return gfpganVisibility > 0 || codeformerVisibility > 0;
}
