import { describe, expect, it } from '@jest/globals';
import type { Point } from '../../../../app/imaging/opencv/similarity-transform.ts';
import type { Face } from '../../../../app/processing/faces/face.ts';
import { scaleFace } from '../../../../app/processing/faces/face.ts';
import { chooseFaces, restorableFaces } from '../../../../app/processing/faces/select-faces.ts';

const SIZE = { width: 400, height: 300 };

/** A face of `width` by `height` about a point, its eyes `eyes` apart. */
function face([x, y]: Point, { width = 60, height = 80, eyes = 24 } = {}): Face {
  const landmarks: Point[] = [[x - eyes / 2, y], [x + eyes / 2, y], [x, y + 10], [x - 9, y + 20], [x + 9, y + 20]]; // prettier-ignore
  return { box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2], score: 0.99, landmarks };
}

const faces = [face([60, 70]), face([210, 160], { width: 20, height: 30 }), face([320, 200])];

describe('Choosing faces', () => {
  it('leaves out those whose eyes are less than five pixels apart', () => {
    const [near, far] = [face([50, 50], { eyes: 4.99 }), face([150, 50], { eyes: 5 })];
    expect(restorableFaces([near, far])).toEqual([far]);
  });

  it('takes all, in the order in which they were found', () => {
    expect(chooseFaces(faces, {}, SIZE)).toEqual(faces);
  });

  it('takes those whose numbers are given; numbers of no face are nothing', () => {
    expect(chooseFaces(faces, { faces: [2, 0, 9] }, SIZE)).toEqual([faces[0], faces[2]]);
    expect(chooseFaces(faces, { faces: [] }, SIZE)).toEqual([]);
  });

  it('takes those whose shorter side is long enough', () => {
    expect(chooseFaces(faces, { minFaceSize: 60 }, SIZE)).toEqual([faces[0], faces[2]]);
    expect(chooseFaces(faces, { minFaceSize: 61 }, SIZE)).toEqual([]);
  });

  it('takes the one nearest to the centre, of those that are left', () => {
    expect(chooseFaces(faces, { onlyCenterFace: true }, SIZE)).toEqual([faces[1]]);
    expect(chooseFaces(faces, { onlyCenterFace: true, minFaceSize: 30 }, SIZE)).toEqual([faces[2]]);
    expect(chooseFaces([], { onlyCenterFace: true }, SIZE)).toEqual([]);
  });

  it('scales what was found in a picture of another size', () => {
    const scaled = scaleFace(face([60, 70]), 2, 0.5);
    expect(scaled.box).toEqual([60, 15, 180, 55]);
    expect(scaled.landmarks[1]).toEqual([144, 35]);
  });
});
