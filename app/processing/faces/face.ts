import type { Point } from '../../imaging/opencv/similarity-transform.ts';

/** A face that was found. Coordinates in pixels of the picture, from its upper left corner. */
export interface Face {
  /** Left, top, right, bottom; may reach beyond the picture. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** How sure the detector is, 0..1. */
  readonly score: number;
  /** Left eye, right eye, nose, left and right corner of the mouth, as they stand in the picture. */
  readonly landmarks: readonly Point[];
}

/** The shorter side of its box, in pixels. */
export function faceSize({ box: [left, top, right, bottom] }: Face): number {
  return Math.min(right - left, bottom - top);
}

/** Faces found in a picture of another size, in pixels of this one. */
export function scaleFace(face: Face, scaleX: number, scaleY: number): Face {
  const [left, top, right, bottom] = face.box;
  return {
    box: [left * scaleX, top * scaleY, right * scaleX, bottom * scaleY],
    score: face.score,
    landmarks: face.landmarks.map(([x, y]) => [x * scaleX, y * scaleY]),
  };
}
