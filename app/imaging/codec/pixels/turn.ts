import type { Sharp } from 'sharp';

/** A picture turned as an orientation of 1..8 says (EXIF's numbers): mirrored left to right first, then turned clockwise. */
export function turned(image: Sharp, orientation: number): Sharp {
  const [isMirrored, degrees] = TURNS[orientation - 1] ?? [false, 0];
  const mirrored = isMirrored ? image.flop() : image;
  return degrees === 0 ? mirrored : mirrored.rotate(degrees);
}

/** Whether width and height change places. */
export function isOnItsSide(orientation: number): boolean {
  return orientation >= 5;
}

/** By orientation, from 1 on. */
const TURNS: readonly (readonly [isMirrored: boolean, degrees: 0 | 90 | 180 | 270])[] = [
  [false, 0],
  [true, 0],
  [false, 180],
  [true, 180],
  [true, 270],
  [false, 90],
  [true, 90],
  [false, 270],
];
