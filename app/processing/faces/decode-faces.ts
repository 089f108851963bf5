import { RETINAFACE_VARIANCE } from '../../architectures/faces/retinaface.ts';
import type { Point } from '../../imaging/opencv/similarity-transform.ts';
import type { Face } from './face.ts';
import { priorBoxes } from './prior-boxes.ts';

const { max, min } = Math;

/** What RetinaFace answers about the prior boxes of one picture. */
export interface DetectorAnswer {
  /** Four numbers a box: where the face's box is from it. */
  readonly loc: Float32Array;
  /** Two numbers a box: background, face. */
  readonly conf: Float32Array;
  /** Ten numbers a box: where the landmarks are from it. */
  readonly landms: Float32Array;
}

/** Boxes that share more than this much of their area are one face. */
const OVERLAP = 0.4;

/** More candidates than any picture has faces for: a bound on the work that damaged weights can make. */
const MAX_CANDIDATES = 5000;

/**
 * The faces of a picture of `width` by `height` (as the detector saw it) with a score above `threshold`, the surest first, of
 * those that overlap only the surest. Reference: facexlib/detection/retinaface.py, `detect_faces`.
 */
export function decodeFaces(
  { loc, conf, landms }: DetectorAnswer,
  { width, height }: { readonly width: number; readonly height: number },
  threshold: number,
): Face[] {
  const priors = priorBoxes(width, height);
  const score = (index: number): number => conf[index * 2 + 1] ?? 0;
  const candidates = Array.from({ length: priors.length / 4 }, (_, index) => index)
    .filter((index) => score(index) > threshold)
    .sort((a, b) => score(b) - score(a))
    .slice(0, MAX_CANDIDATES);
  const faces = candidates.map((index): Face => {
    const at = (values: Float32Array, count: number) => values.subarray(index * count, (index + 1) * count);
    const prior = at(priors, 4);
    return {
      box: decodeBox(prior, at(loc, 4), width, height),
      score: score(index),
      landmarks: decodeLandmarks(prior, at(landms, 10), width, height),
    };
  });
  return suppressOverlaps(faces);
}

function decodeBox(
  [priorX = 0, priorY = 0, priorW = 0, priorH = 0]: Float32Array,
  [x = 0, y = 0, w = 0, h = 0]: Float32Array,
  width: number,
  height: number,
): Face['box'] {
  const [offset, growth] = RETINAFACE_VARIANCE;
  const [centreX, centreY] = [priorX + x * offset * priorW, priorY + y * offset * priorH];
  const [halfW, halfH] = [(priorW * Math.exp(w * growth)) / 2, (priorH * Math.exp(h * growth)) / 2];
  return [(centreX - halfW) * width, (centreY - halfH) * height, (centreX + halfW) * width, (centreY + halfH) * height];
}

function decodeLandmarks(
  [priorX = 0, priorY = 0, priorW = 0, priorH = 0]: Float32Array,
  offsets: Float32Array,
  width: number,
  height: number,
): Point[] {
  const [scale] = RETINAFACE_VARIANCE;
  return Array.from({ length: offsets.length / 2 }, (_, index): Point => {
    const [x = 0, y = 0] = offsets.subarray(index * 2, index * 2 + 2);
    return [(priorX + x * scale * priorW) * width, (priorY + y * scale * priorH) * height];
  });
}

/** Non-maximum suppression; `faces` are in order of their scores. */
function suppressOverlaps(faces: readonly Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces) {
    if (kept.every((surer) => overlap(face.box, surer.box) <= OVERLAP)) kept.push(face);
  }
  return kept;
}

/** Intersection over union. */
function overlap(a: Face['box'], b: Face['box']): number {
  const width = max(0, min(a[2], b[2]) - max(a[0], b[0]));
  const height = max(0, min(a[3], b[3]) - max(a[1], b[1]));
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

function area([left, top, right, bottom]: Face['box']): number {
  return (right - left) * (bottom - top);
}
