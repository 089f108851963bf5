import type { Rectangle } from '../rectangle.ts';
import type { LabEncoding } from './pixels/lab-to-srgb.ts';
import type { ImageFormat } from './sniff-format.ts';
import type { ChosenPage } from './tiff/choose-page.ts';

/** What sharp is given: bytes that the walkers have been through. */
export interface DecodeInput {
  readonly bytes: Uint8Array;
  readonly format: ImageFormat;
  readonly name: string;
  readonly maxPixels: number;
  /** Of an animation, from 0; by default the first. */
  readonly frameIndex?: number;
  /** Whether the file lacks its end marker, which is not to be told as damage. */
  readonly endsEarly?: boolean;
  /** The samples are L*a*b*, though the file says RGB. */
  readonly lab?: LabEncoding | undefined;
  /** One channel is stored, of which the decoder makes three. */
  readonly isMonochrome?: boolean | undefined;
  /** The samples of that channel are in the range of video, and the decoder leaves them there. */
  readonly isVideoRange?: boolean | undefined;
  /** The colours are multiplied with alpha, and the decoder leaves them so. */
  readonly isMultiplied?: boolean | undefined;
  /** TIFF: which page, and what of its channels is neither colour nor alpha. */
  readonly page?: ChosenPage | undefined;
  /** XMP that the walkers found, and not the decoder. */
  readonly metadata?: { readonly xmp?: Uint8Array | undefined };
  /** GIF: what the first frame covers, where that is not all. */
  readonly frame?: Rectangle | undefined;
}
