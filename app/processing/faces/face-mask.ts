import { planeSource, rowSampler } from '../../imaging/opencv/affine-warp.ts';
import { erode } from '../../imaging/opencv/erosion.ts';
import { gaussianBlur } from '../../imaging/opencv/gaussian-blur.ts';
import type { Plane } from '../../imaging/opencv/plane.ts';
import { filledPlane } from '../../imaging/opencv/plane.ts';
import type { AffineMatrix } from '../../imaging/opencv/similarity-transform.ts';
import { invertAffine } from '../../imaging/opencv/similarity-transform.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { FACE_SIDE } from './align-face.ts';

/** Labels of the parser that are no face: background, hat (14), necklace, neck, cloth (16, 17, 18). */
const NO_FACE: ReadonlySet<number> = new Set([0, 14, 16, 17, 18]);

/** Pixels at the edge of an aligned face that are never pasted. */
const RIM = 10;

/** How much of each pixel of an aligned face is pasted, by what the parser saw there: 0..1, soft at the edges. */
export function parsedMask(labels: Uint8Array): Plane {
  const hard = filledPlane(FACE_SIDE, FACE_SIDE, 1);
  labels.forEach((label, index) => (hard.data[index] = NO_FACE.has(label) ? 0 : 1));
  const soft = gaussianBlur(gaussianBlur(hard, 101, 11), 101, 11);
  const mask = filledPlane(FACE_SIDE, FACE_SIDE, 0);
  for (let y = RIM; y < FACE_SIDE - RIM; y++) {
    const [from, to] = [y * FACE_SIDE + RIM, (y + 1) * FACE_SIDE - RIM];
    mask.data.set(soft.data.subarray(from, to), from);
  }
  return mask;
}

/** The square of an aligned face in the result, without its edge. */
export interface SquareMask {
  /** What is left of the square where a rim of two pixels of the source is taken off; how much of the face shows. */
  readonly inner: Plane;
  /** Smaller by a twentieth of the face, and blurred as much: how much of the result is the face. */
  readonly soft: Plane;
}

/**
 * The square of an aligned face under `placement`, in a region of the result that holds all of it and at least a pixel around.
 * @param scale how many pixels of the result one of the picture is
 */
export function squareMask(placement: AffineMatrix, region: Rectangle, scale: number): SquareMask {
  const square = warpedSquare(placement, region);
  const inner = erode(square, Math.max(1, Math.floor(2 * scale)));
  const area = inner.data.reduce((sum, value) => sum + value, 0);
  const edge = Math.floor(Math.floor(Math.sqrt(area)) / 20);
  // An empty kernel is to OpenCV one of 3 x 3.
  const centre = erode(inner, edge === 0 ? 3 : 2 * edge);
  return { inner, soft: gaussianBlur(centre, 2 * edge + 1) };
}

function warpedSquare(placement: AffineMatrix, { x, y, width, height }: Rectangle): Plane {
  const sample = rowSampler(planeSource(filledPlane(FACE_SIDE, FACE_SIDE, 1)), invertAffine(placement), [0]);
  const square = filledPlane(width, height, 0);
  for (let row = 0; row < height; row++) {
    sample({ x, y: y + row, count: width }, square.data.subarray(row * width, (row + 1) * width));
  }
  return square;
}
