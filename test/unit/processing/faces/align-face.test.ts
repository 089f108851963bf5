import { describe, expect, it } from '@jest/globals';
import type { Point } from '../../../../app/imaging/opencv/similarity-transform.ts';
import { invertAffine, mapPoint } from '../../../../app/imaging/opencv/similarity-transform.ts';
import { alignFace, FACE_SIDE, placementOf } from '../../../../app/processing/faces/align-face.ts';
import { detectorPicture, FACE_PROFILES, workingPicture } from '../../../../app/processing/faces/face-profiles.ts';
import { noise } from '../../../support/images/images.ts';

const LANDMARKS: readonly Point[] = [[48, 60], [80, 60], [64, 78], [50, 93], [78, 93]]; // prettier-ignore

describe('Aligning a face', () => {
  const picture = noise({ width: 128, height: 160, channels: 3, depth: 8 });

  it('brings the eyes to where the template has them', () => {
    const aligned = alignFace(picture, LANDMARKS);
    expect(aligned?.crop).toMatchObject({ width: FACE_SIDE, height: FACE_SIDE, channels: 3, depth: 8 });
    const [x, y] = aligned ? mapPoint(aligned.matrix, LANDMARKS[0] ?? [0, 0]) : [0, 0];
    expect(Math.hypot(x - 192.98, y - 239.95)).toBeLessThan(12);
  });

  it('makes nothing of landmarks on one spot', () => {
    expect(
      alignFace(
        picture,
        LANDMARKS.map((): Point => [40, 40]),
      ),
    ).toBeUndefined();
  });

  it('is gray beyond the picture', () => {
    const { crop } = alignFace(
      picture,
      LANDMARKS.map(([x, y]): Point => [x + 5000, y]),
    ) ?? { crop: picture };
    expect([...crop.data.subarray(0, 3)]).toEqual([132, 133, 135]);
  });

  it('goes back to the picture at scale 1, and half a step further at larger ones', () => {
    const { matrix } = alignFace(picture, LANDMARKS) ?? { matrix: [1, 0, 0, 0, 1, 0] as const };
    const back = mapPoint(invertAffine(matrix), [256, 256]);
    expect(mapPoint(placementOf(matrix, 1, 1), [256, 256])).toEqual(back);
    const [x, y] = mapPoint(placementOf(matrix, 2, 0.5), [256, 256]);
    expect(x).toBeCloseTo(2 * back[0] + 1, 9);
    expect(y).toBeCloseTo(0.5 * back[1], 9);
  });
});

describe('The picture that faces are looked for in', () => {
  const size = ({ width, height }: { width: number; height: number }): readonly number[] => [width, height];
  const { facexlib, codeformer } = FACE_PROFILES;
  const picture = (width: number, height: number) => noise({ width, height, channels: 3, depth: 8 });

  it('is the picture itself for facexlib', () => {
    const given = picture(300, 200);
    expect(workingPicture(given, facexlib)).toBe(given);
    expect(detectorPicture(given, facexlib)).toBe(given);
  });

  it('has a short side of at least 512 for CodeFormer, and of 640 for its detector', () => {
    expect(size(workingPicture(picture(248, 189), codeformer))).toEqual([672, 512]);
    const large = picture(1000, 800);
    expect(workingPicture(large, codeformer)).toBe(large);
    expect(size(detectorPicture(large, codeformer))).toEqual([800, 640]);
    expect(size(detectorPicture(picture(520, 600), codeformer))).toEqual([640, 738]);
  });

  it('is never too large for the detector', () => {
    const { width, height } = detectorPicture(picture(3000, 2000), facexlib);
    expect(width * height).toBeLessThanOrEqual(1 << 22);
    expect(width * height).toBeGreaterThan(0.99 * (1 << 22));
    expect(width / height).toBeCloseTo(1.5, 2);
  });
});
