import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { warpImage } from '../../app/imaging/opencv/affine-warp.ts';
import { blendSamples } from '../../app/imaging/blend.ts';
import type { Image } from '../../app/imaging/image.ts';
import { resizeLinear } from '../../app/imaging/opencv/resize-linear.ts';
import { rowsOf } from '../../app/imaging/rows.ts';
import type { AffineMatrix, Point } from '../../app/imaging/opencv/similarity-transform.ts';
import { invertAffine, mapPoint } from '../../app/imaging/opencv/similarity-transform.ts';
import { alignFace, FACE_SIDE, placementOf } from '../../app/processing/faces/align-face.ts';
import { faceLayer } from '../../app/processing/faces/face-layer.ts';
import { parsedMask } from '../../app/processing/faces/face-mask.ts';
import type { FaceProfile } from '../../app/processing/faces/face-profiles.ts';
import { FACE_PROFILES, workingPicture } from '../../app/processing/faces/face-profiles.ts';
import type { Face } from '../../app/processing/faces/face.ts';
import { grayFace, isGray } from '../../app/processing/faces/gray-face.ts';
import { pasteFaces } from '../../app/processing/faces/paste-faces.ts';
import { chooseFaces, restorableFaces } from '../../app/processing/faces/select-faces.ts';
import { curveResize } from '../support/images/curve-resize.ts';
import { readPng } from '../support/images/png.ts';
import { describeWithReference } from '../support/reference.ts';

/** Where a golden keeps every n-th pixel only, as a numpy slice: "whole" or "[y0::step, x0::step]". */
type Slice = string;

interface AlignCase {
  readonly name: string;
  readonly border_mode: 'constant' | 'reflect' | 'reflect101';
  readonly landmarks: readonly Point[];
  readonly matrix: readonly (readonly number[])[];
  readonly crop: string;
  readonly crop_stored: Slice;
}
interface PasteCase {
  readonly name: string;
  readonly upscale: number;
  readonly use_parse: boolean;
  readonly faces?: readonly string[];
  readonly inverse_affine?: readonly (readonly (readonly number[])[])[];
  readonly matrix?: readonly (readonly number[])[];
  readonly landmarks_after_resize?: readonly Point[];
  readonly result: string;
  readonly result_stored: Slice;
  readonly result_mean: readonly number[];
  readonly restored_after_gray_adain?: {
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly max: number;
    readonly row_256_column_200_to_208: readonly number[];
  };
}
interface EnhanceCase {
  readonly name: string;
  readonly landmarks_used?: readonly (readonly Point[])[];
  readonly result?: string | null;
  readonly result_stored: Slice;
  readonly crop: string;
  readonly crop_stored: Slice;
}
interface Selection {
  readonly image_height_width: readonly [number, number];
  readonly detections: readonly (readonly number[])[];
  readonly cases: readonly { rule: string; eye_dist_threshold: number | null; kept: readonly number[] }[];
}
interface Index {
  readonly align: readonly AlignCase[];
  readonly paste: readonly PasteCase[];
  readonly gfpganer: readonly EnhanceCase[];
  readonly selection: Selection;
  readonly blend: { readonly cases: readonly { strength: number; result: string }[] };
  readonly is_gray: readonly { picture: string; is_gray: boolean }[];
}

/** The share of samples that are further apart than `levels`, and the mean distance, where the golden kept samples. */
function distance(actual: Image, stored: Image, slice: Slice, levels: number): { mean: number; beyond: number } {
  const [y0 = 0, stepY = 1, x0 = 0, stepX = 1] = slice.match(/\d+/g)?.map(Number) ?? [];
  const { channels } = stored;
  expect(actual.channels).toBe(channels);
  expect([stored.height, stored.width]).toEqual([
    Math.ceil((actual.height - y0) / stepY),
    Math.ceil((actual.width - x0) / stepX),
  ]);
  let [sum, beyond] = [0, 0];
  stored.data.forEach((value, i) => {
    const pixel = Math.trunc(i / channels);
    const y = y0 + stepY * Math.trunc(pixel / stored.width);
    const x = x0 + stepX * (pixel % stored.width);
    const apart = Math.abs((actual.data[(y * actual.width + x) * channels + (i % channels)] ?? NaN) - value);
    sum += apart;
    if (!(apart <= levels)) beyond += 1;
  });
  return { mean: sum / stored.data.length, beyond: beyond / stored.data.length };
}

function expectCrop(actual: Image, stored: Image, slice: Slice): void {
  const { mean, beyond } = distance(actual, stored, slice, 3);
  expect(mean).toBeLessThanOrEqual(0.25);
  expect(beyond).toBeLessThanOrEqual(0.001);
}

function expectPaste(actual: Image, stored: Image, slice: Slice): void {
  const { mean, beyond } = distance(actual, stored, slice, 2);
  expect(mean).toBeLessThanOrEqual(0.1);
  expect(beyond).toBeLessThanOrEqual(0.001);
}

/** How far the corners of the aligned face move between two matrices, in pixels of the face. */
function cornersApart(actual: AffineMatrix, expected: AffineMatrix): number {
  const back = invertAffine(expected);
  const corners = [0, FACE_SIDE].flatMap((x) => [0, FACE_SIDE].map((y): Point => [x, y]));
  return Math.max(
    ...corners.map((corner) => {
      const [x, y] = mapPoint(actual, mapPoint(back, corner));
      return Math.hypot(x - corner[0], y - corner[1]);
    }),
  );
}

function matrixOf(rows: readonly (readonly number[])[]): AffineMatrix {
  const [a = NaN, b = NaN, c = NaN, d = NaN, e = NaN, f = NaN] = rows.flat();
  return [a, b, c, d, e, f];
}

function rgb({ width, height }: Image, data: Uint8Array): Image {
  return { width, height, channels: 3, depth: 8, data };
}

/** OpenCV's COLOR_BGR2GRAY, as an image of three equal channels. */
function grayscale(image: Image): Image {
  const { data } = image;
  const gray = Uint8Array.from(data, (_, i) => {
    const at = i - (i % 3);
    return Math.round(0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0));
  });
  return rgb(image, gray);
}

describeWithReference('The face pipelines', ['goldens', 'pipelines', 'face'], (folder) => {
  const facexlib = JSON.parse(readFileSync(join(folder, 'facexlib.json'), 'utf8')) as Index;
  const codeformer = JSON.parse(readFileSync(join(folder, 'codeformer.json'), 'utf8')) as Index;
  const picture = (name: string): Image => readPng(readFileSync(join(folder, name)));
  const photo = picture('group.png');
  const restored = picture('face-a.png');
  const mask = parsedMask(picture('labels.png').data as Uint8Array);
  const landmarksOf = (name: string): readonly Point[] =>
    facexlib.align.find((given) => given.name === name)?.landmarks ?? [];

  const paste = (
    faces: readonly { landmarks: readonly Point[]; face: Image | 'gray' }[],
    background: Image,
    given: { working: Image; pipeline: FaceProfile; isParsed: boolean; scale: number },
  ): Image => {
    const { working, pipeline, isParsed, scale } = given;
    const layers = faces.flatMap(({ landmarks, face }) => {
      const aligned = alignFace(working, landmarks);
      if (!aligned) return [];
      const source = face === 'gray' ? grayFace(restored, aligned.crop) : { ...face, data: face.data as Uint8Array };
      const layer = faceLayer(
        {
          face: source,
          placement: placementOf(aligned.matrix, scale, scale),
          mask: isParsed ? mask : undefined,
          isBoundBySquare: pipeline.isBoundBySquare,
        },
        background,
        scale,
      );
      return layer ?? [];
    });
    const data = pasteFaces(rowsOf(background), layers, 1).readRows(0, background.height);
    return { ...background, data };
  };

  describe('align faces', () => {
    it.each(facexlib.align)('$name, border $border_mode', (given) => {
      const outside = given.border_mode === 'constant' ? [132, 133, 135] : given.border_mode;
      const aligned = alignFace(photo, given.landmarks);
      expect(aligned).toBeDefined();
      if (!aligned) return;
      expect(cornersApart(aligned.matrix, matrixOf(given.matrix))).toBeLessThanOrEqual(0.1);
      const size = { width: FACE_SIDE, height: FACE_SIDE };
      const crop = warpImage(photo, aligned.matrix, size, outside);
      if (given.border_mode === 'constant') expect(aligned.crop).toEqual(crop);
      expectCrop(crop, picture(given.crop), given.crop_stored);
    });

    it('takes an aligned face as it is, resized', () => {
      const given = facexlib.gfpganer.find(({ name }) => name === 'aligned');
      expect(given).toBeDefined();
      if (!given) return;
      expectCrop(resizeLinear(photo, FACE_SIDE, FACE_SIDE), picture(given.crop), given.crop_stored);
    });
  });

  describe('paste faces as facexlib does', () => {
    it.each(facexlib.paste)('$name', (given) => {
      const scale = given.upscale;
      const [width, height] = [Math.trunc(photo.width * scale), Math.trunc(photo.height * scale)];
      let background = photo;
      if (given.name.startsWith('bg-')) background = curveResize(photo, photo.width * 3, photo.height * 3, 'cubic');
      if (given.name.startsWith('bg-bgra')) background = withRampAlpha(background);
      const upscaled = curveResize(background, width, height, 'lanczos4');
      const names = given.faces ?? [];
      names.forEach((name, index) => {
        const aligned = alignFace(photo, landmarksOf(name));
        const [a, b, c, d, e, f] = placementOf(aligned?.matrix ?? [NaN, 0, 0, 0, NaN, 0], scale, scale);
        const shift = scale > 1 ? 0.5 * scale : 0;
        const expected = matrixOf(given.inverse_affine?.[index] ?? []);
        const apart = cornersApart(invertAffine([a, b, c - shift, d, e, f - shift]), invertAffine(expected));
        expect(apart).toBeLessThanOrEqual(0.1);
      });
      const faces = names.map((name) => ({ landmarks: landmarksOf(name), face: restored }));
      const result = paste(faces, upscaled, {
        working: photo,
        pipeline: FACE_PROFILES.facexlib,
        isParsed: given.use_parse,
        scale,
      });
      expectPaste(result, picture(given.result), given.result_stored);
      expectMean(result, given.result_mean);
    });

    it.each(['all', 'center'])('GFPGANer, %s', (name) => {
      const given = facexlib.gfpganer.find((enhanced) => enhanced.name === name);
      const upscaled = curveResize(photo, photo.width * 2, photo.height * 2, 'lanczos4');
      const faces = (given?.landmarks_used ?? []).map((landmarks) => ({ landmarks, face: restored }));
      const pipeline = FACE_PROFILES.facexlib;
      const result = paste(faces, upscaled, { working: photo, pipeline, isParsed: true, scale: 2 });
      expectPaste(result, picture(given?.result ?? ''), given?.result_stored ?? '');
    });
  });

  describe('paste faces as CodeFormer does', () => {
    it.each(codeformer.paste)('$name', (given) => {
      const pipeline = FACE_PROFILES.codeformer;
      const hasColors = given.restored_after_gray_adain === undefined;
      const input = hasColors ? photo : grayscale(photo);
      expect(isGray(input)).toBe(!hasColors);
      const working = workingPicture(input, pipeline);
      const landmarks = given.landmarks_after_resize ?? [];
      const aligned = alignFace(working, landmarks);
      expect(cornersApart(aligned?.matrix ?? [NaN, 0, 0, 0, NaN, 0], matrixOf(given.matrix ?? []))).toBeLessThan(0.1);
      const scale = given.upscale;
      const background = resizeLinear(working, working.width * scale, working.height * scale);
      const faces = [{ landmarks, face: hasColors ? restored : ('gray' as const) }];
      const result = paste(faces, background, { working, pipeline, isParsed: given.use_parse, scale });
      expectPaste(result, picture(given.result), given.result_stored);
      expectMean(result, given.result_mean);
    });

    it('gives faces of gray pictures the tones of the picture', () => {
      const given = codeformer.paste.find(({ name }) => name === 'gray-x2-parse');
      const expected = given?.restored_after_gray_adain;
      const working = workingPicture(grayscale(photo), FACE_PROFILES.codeformer);
      const crop = alignFace(working, given?.landmarks_after_resize ?? [])?.crop ?? working;
      const { data } = grayFace(restored, crop);
      const at = (256 * FACE_SIDE + 200) * 3;
      const row = Array.from({ length: 8 }, (_, i) => data[at + 3 * i] ?? NaN);
      let most = 0;
      for (const value of data) most = Math.max(most, value);
      expect(Math.abs(most - (expected?.max ?? NaN))).toBeLessThan(0.1);
      row.forEach((value, i) => {
        expect(Math.abs(value - (expected?.row_256_column_200_to_208[i] ?? NaN))).toBeLessThan(0.1);
      });
    });
  });

  describe('choose faces', () => {
    const { image_height_width: size, detections, cases } = facexlib.selection;
    const faces = detections.map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, ...points]): Face => {
      const landmarks = Array.from({ length: 5 }, (_, i): Point => [points[2 * i] ?? 0, points[2 * i + 1] ?? 0]);
      return { box: [x1, y1, x2, y2], score, landmarks };
    });
    const [height, width] = size;

    it.each(cases.filter(({ rule }) => rule !== 'only_keep_largest'))(
      '$rule with eye distance $eye_dist_threshold keeps $kept',
      ({ rule, eye_dist_threshold: threshold, kept }) => {
        const candidates = threshold === null ? faces : restorableFaces(faces);
        const chosen = chooseFaces(candidates, { onlyCenterFace: rule === 'only_center_face' }, { width, height });
        expect(chosen.map((face) => faces.indexOf(face))).toEqual(kept);
      },
    );
  });

  describe('blend by strength', () => {
    it.each(facexlib.blend.cases)('$strength', ({ strength, result }) => {
      const changed = picture('blend-restored.png');
      const original = cut(photo, { x: 20, y: 10, width: 100, height: 80 });
      const blended = new Uint8Array(original.length);
      blendSamples(original, changed.data, strength, blended);
      expect(blended).toEqual(picture(result).data);
    });
  });

  describe('tell gray pictures from coloured ones', () => {
    const gray = grayscale(photo);
    const tint = Uint8Array.from(gray.data, (value, i) => Math.max(0, Math.min(255, value + ([-4, 0, 6][i % 3] ?? 0))));
    const weak = Uint8Array.from(gray.data, (value, i) => Math.trunc(0.85 * value + 0.15 * (photo.data[i] ?? 0)));
    const pictures = [photo, gray, rgb(photo, tint), rgb(photo, weak)];
    it.each(codeformer.is_gray.map((given, index) => ({ ...given, index })))('$picture', ({ index, is_gray }) => {
      expect(isGray(pictures[index] ?? photo)).toBe(is_gray);
    });
  });
});

/** Means of the channels, which the goldens give in the order B, G, R, A. */
function expectMean(
  { data, channels }: Image,
  [blue = NaN, green = NaN, red = NaN, alpha = NaN]: readonly number[],
): void {
  [red, green, blue, alpha].slice(0, channels).forEach((mean, channel) => {
    let sum = 0;
    for (let i = channel; i < data.length; i += channels) sum += data[i] ?? NaN;
    expect(Math.abs((sum * channels) / data.length - mean)).toBeLessThanOrEqual(0.1);
  });
}

function withRampAlpha({ width, height, data }: Image): Image {
  const rgba = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgba.set(data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    rgba[pixel * 4 + 3] = ((pixel % width) * 255) / (width - 1);
  }
  return { width, height, channels: 4, depth: 8, data: rgba };
}

function cut(image: Image, area: { x: number; y: number; width: number; height: number }): Uint8Array {
  const rows = Array.from({ length: area.height }, (_, y) => {
    const from = ((area.y + y) * image.width + area.x) * image.channels;
    return [...image.data.subarray(from, from + area.width * image.channels)];
  });
  return Uint8Array.from(rows.flat());
}
