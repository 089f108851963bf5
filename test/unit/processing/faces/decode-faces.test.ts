import { describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../../app/checkpoints/read-tensor.ts';
import type { DetectorAnswer } from '../../../../app/processing/faces/decode-faces.ts';
import { decodeFaces } from '../../../../app/processing/faces/decode-faces.ts';
import { priorBoxes } from '../../../../app/processing/faces/prior-boxes.ts';
import { caseFile } from '../../../support/cases.ts';

const SIZE = { width: 128, height: 96 };
const golden = openCheckpoint(caseFile('face_retinaface_decode'));
const tensor = (name: string): Float32Array => readTensor(golden, name);
const answer: DetectorAnswer = { loc: tensor('loc'), conf: tensor('conf'), landms: tensor('landms') };

/** The largest distance between two lists of numbers of the same length. */
function apart(actual: readonly number[], expected: Float32Array): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? NaN))));
}

describe('Decoding what RetinaFace answers', () => {
  it('speaks about the boxes of facexlib', () => {
    expect(apart([...priorBoxes(SIZE.width, SIZE.height)], tensor('priors'))).toBeLessThan(1e-6);
  });

  it('has boxes for cells that reach beyond the picture', () => {
    // ceil(9 / 8) x ceil(5 / 8) + 1 x 1 + 1 x 1 cells of two boxes.
    expect(priorBoxes(9, 5)).toHaveLength((2 + 1 + 1) * 2 * 4);
  });

  it.each([0.8, 0.97])('finds the faces that facexlib finds above %d, in its order', (threshold) => {
    const faces = decodeFaces(answer, SIZE, threshold);
    const rows = faces.flatMap(({ box, score, landmarks }) => [...box, score, ...landmarks.flat()]);
    expect(apart(rows, tensor(`detections_${threshold}`))).toBeLessThan(1e-3);
  });

  it('finds nothing where nothing is sure enough, or no number', () => {
    expect(decodeFaces(answer, SIZE, 1)).toEqual([]);
    const broken = { ...answer, conf: answer.conf.map(() => NaN) };
    expect(decodeFaces(broken, SIZE, 0.1)).toEqual([]);
  });

  it('keeps to a bounded number of candidates where all boxes are said to be faces', () => {
    const [width, height] = [480, 360];
    const boxes = priorBoxes(width, height).length / 4;
    const all = {
      loc: new Float32Array(boxes * 4),
      conf: new Float32Array(boxes * 2).fill(1),
      landms: new Float32Array(boxes * 10),
    };
    expect(boxes).toBeGreaterThan(5000);
    expect(decodeFaces(all, { width, height }, 0.5).length).toBeLessThanOrEqual(5000);
  });
});
