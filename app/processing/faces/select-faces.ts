import type { Face } from './face.ts';
import { faceSize } from './face.ts';

/** Which of the faces found are restored. */
export interface FaceChoice {
  /** Only the one whose box is nearest to the picture's centre. */
  readonly onlyCenterFace?: boolean | undefined;
  /** Only those with these numbers, from 0, in the list of faces that `restorableFaces` gives. */
  readonly faces?: readonly number[] | undefined;
  /** Least width and height of a face's box, in pixels. */
  readonly minFaceSize?: number | undefined;
}

/** Pixels between the eyes below which a face is too small, or too much in profile, to be restored (GFPGAN and CodeFormer). */
const MIN_EYE_DISTANCE = 5;

/**
 * Those whose eyes are far enough apart. CodeFormer's own code measures from the right eye to the nose, by a slip; this is
 * facexlib's measure for both.
 */
export function restorableFaces(faces: readonly Face[]): Face[] {
  return faces.filter(({ landmarks: [left = [0, 0], right = [0, 0]] }) => {
    return Math.hypot(left[0] - right[0], left[1] - right[1]) >= MIN_EYE_DISTANCE;
  });
}

/** The faces of `faces` that a caller chose, in their order. */
export function chooseFaces(
  faces: readonly Face[],
  choice: FaceChoice,
  { width, height }: { readonly width: number; readonly height: number },
): Face[] {
  const { onlyCenterFace = false, faces: numbers, minFaceSize = 0 } = choice;
  const chosen = faces
    .filter((_, index) => numbers === undefined || numbers.includes(index))
    .filter((face) => faceSize(face) >= minFaceSize);
  if (!onlyCenterFace) return chosen;
  const distance = ({ box: [left, top, right, bottom] }: Face): number =>
    Math.hypot((left + right) / 2 - width / 2, (top + bottom) / 2 - height / 2);
  return chosen.toSorted((a, b) => distance(a) - distance(b)).slice(0, 1);
}
