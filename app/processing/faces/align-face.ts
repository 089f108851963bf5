import { warpImage } from '../../imaging/opencv/affine-warp.ts';
import type { Image } from '../../imaging/image.ts';
import type { AffineMatrix, Point } from '../../imaging/opencv/similarity-transform.ts';
import { estimateSimilarity, invertAffine } from '../../imaging/opencv/similarity-transform.ts';

/** Width and height of an aligned face, in pixels: what restorers and the parser take. */
export const FACE_SIDE = 512;

/** Where the five landmarks of an aligned face are: means of the FFHQ faces (facexlib, face_restoration_helper.py). */
const TEMPLATE: readonly Point[] = [
  [192.98138, 239.94708],
  [318.90277, 240.1936],
  [256.63416, 314.01935],
  [201.26117, 371.41043],
  [313.08905, 371.15118],
];

/** R, G and B of what an aligned face shows where the picture ends. */
const OUTSIDE = [132, 133, 135] as const;

/** A face cut out of a picture, upright and of one size. */
export interface AlignedFace {
  /** From the picture's pixels to the crop's. */
  readonly matrix: AffineMatrix;
  readonly crop: Image;
}

/**
 * Cuts a face out of an 8-bit picture, turned and scaled so that its landmarks fall on those of the template.
 * @returns undefined where the landmarks lie on one spot
 */
export function alignFace(picture: Image, landmarks: readonly Point[]): AlignedFace | undefined {
  const matrix = estimateSimilarity(landmarks, TEMPLATE);
  if (!matrix) return undefined;
  return { matrix, crop: warpImage(picture, matrix, { width: FACE_SIDE, height: FACE_SIDE }, OUTSIDE) };
}

/**
 * The way back from an aligned face to a result that is `scaleX` by `scaleY` times the picture. Enlarged results are shifted
 * by half a result's step, as facexlib does "for more precise back alignment".
 */
export function placementOf(matrix: AffineMatrix, scaleX: number, scaleY: number): AffineMatrix {
  const [a, b, c, d, e, f] = invertAffine(matrix);
  const shift = (scale: number): number => (scale > 1 ? 0.5 * scale : 0);
  return [a * scaleX, b * scaleX, c * scaleX + shift(scaleX), d * scaleY, e * scaleY, f * scaleY + shift(scaleY)];
}
