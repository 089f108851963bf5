import type { Image } from '../../imaging/image.ts';
import { reduceByArea } from '../../imaging/opencv/reduce-by-area.ts';
import { resizeLinear, resizeLinearBy } from '../../imaging/opencv/resize-linear.ts';

/** What the two pipelines do in their own ways. */
export interface FaceProfile {
  /** Least score of a face. */
  readonly threshold: number;
  /** Short side of the picture that the detector sees, in pixels; without, the picture's own. */
  readonly detectionSide?: number;
  /** Pictures with a shorter side are enlarged to this before anything else. */
  readonly minSide?: number;
  /** Whether the square of the face bounds its parsed mask. */
  readonly isBoundBySquare: boolean;
  /** Whether faces of gray pictures get the tones of the picture (`grayFace`). */
  readonly tonesGray: boolean;
}

/**
 * Pixels that the detector is given at most: it takes 150 bytes and a microsecond for each. Larger pictures are reduced for it
 * (the references do not, and run out of memory); a face with enough pixels to be restored is still large in them.
 */
const MAX_DETECTOR_PIXELS = 1 << 22;

/** GFPGAN's and RestoreFormer's, of facexlib; and CodeFormer's own. */
export const FACE_PROFILES = {
  facexlib: { threshold: 0.97, isBoundBySquare: false, tonesGray: false },
  codeformer: { threshold: 0.8, detectionSide: 640, minSide: 512, isBoundBySquare: true, tonesGray: true },
} as const satisfies Readonly<Record<string, FaceProfile>>;

/** The 8-bit RGB picture that faces are found in and cut out of. */
export function workingPicture(picture: Image, { minSide = 0 }: FaceProfile): Image {
  const side = Math.min(picture.width, picture.height);
  return side >= minSide ? picture : resizeLinearBy(picture, minSide / side);
}

/** `picture` as the detector sees it; what it finds is scaled back by the sizes of the two. */
export function detectorPicture(picture: Image, { detectionSide }: FaceProfile): Image {
  const wanted = detectionSide === undefined ? 1 : detectionSide / Math.min(picture.width, picture.height);
  const scale = Math.min(wanted, Math.sqrt(MAX_DETECTOR_PIXELS / (picture.width * picture.height)));
  if (scale === 1) return picture;
  const width = Math.max(1, Math.trunc(picture.width * scale));
  const height = Math.max(1, Math.trunc(picture.height * scale));
  return scale < 1 ? reduceByArea(picture, width, height) : resizeLinear(picture, width, height);
}
