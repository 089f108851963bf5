import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BitDepth, Channels, Image } from '../../../../app/imaging/image.ts';
import { allocateSamples, hasAlpha } from '../../../../app/imaging/image.ts';
import type { Plane } from '../../../../app/imaging/opencv/plane.ts';
import { filledPlane } from '../../../../app/imaging/opencv/plane.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import type { AffineMatrix } from '../../../../app/imaging/opencv/similarity-transform.ts';
import { FACE_SIDE } from '../../../../app/processing/faces/align-face.ts';
import type { FaceLayer } from '../../../../app/processing/faces/face-layer.ts';
import { faceLayer } from '../../../../app/processing/faces/face-layer.ts';
import { parsedMask } from '../../../../app/processing/faces/face-mask.ts';
import { pasteFaces } from '../../../../app/processing/faces/paste-faces.ts';
import { noise } from '../../../support/images/images.ts';

const WHITE = filledFace(255);
const KINDS: readonly [Channels, BitDepth][] = [[1, 8], [2, 8], [3, 8], [4, 8], [1, 16], [2, 16], [3, 16], [4, 16]]; // prettier-ignore

function filledFace(level: number): { width: number; height: number; channels: number; data: Uint8Array } {
  const data = new Uint8Array(FACE_SIDE ** 2 * 3).fill(level);
  return { width: FACE_SIDE, height: FACE_SIDE, channels: 3, data };
}

/** A face `size` pixels wide whose upper left corner is at (x, y). */
function placed(x: number, y: number, size: number): AffineMatrix {
  const scale = size / FACE_SIDE;
  return [scale, 0, x, 0, scale, y];
}

interface Given {
  readonly placement: AffineMatrix;
  readonly mask?: Plane;
  readonly isBoundBySquare?: boolean;
  readonly level?: number;
}

function layersOf(image: { width: number; height: number }, given: readonly Given[]): FaceLayer[] {
  return given.flatMap(({ placement, mask, isBoundBySquare = false, level = 255 }) => {
    const layer = faceLayer({ face: filledFace(level), placement, mask, isBoundBySquare }, image, 1);
    return layer ?? [];
  });
}

function pasted(image: Image, layers: readonly FaceLayer[], strength = 1): Image {
  return { ...image, data: pasteFaces(rowsOf(image), layers, strength).readRows(0, image.height) };
}

/** The mask of a face in which the parser saw skin where `isSkin` says so. */
function maskOf(isSkin: (x: number) => boolean): Plane {
  return parsedMask(Uint8Array.from({ length: FACE_SIDE ** 2 }, (_, i) => (isSkin(i % FACE_SIDE) ? 1 : 0)));
}

const kind = fc.constantFrom(...KINDS);
const place = fc.tuple(
  fc.integer({ min: -40, max: 90 }),
  fc.integer({ min: -40, max: 70 }),
  fc.integer({ min: 20, max: 90 }),
);

describe('Pasting faces', () => {
  it('gives the background exactly at strength 0, whatever it is and wherever the faces are', () => {
    fc.assert(
      fc.property(
        kind,
        fc.array(place, { maxLength: 3 }),
        fc.integer({ min: 1 }),
        ([channels, depth], places, seed) => {
          const image = noise({ width: 90, height: 70, channels, depth }, seed);
          const layers = layersOf(
            image,
            places.map((at) => ({ placement: placed(...at) })),
          );
          expect(pasted(image, layers, 0)).toEqual(image);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('changes nothing where there are no faces, and nothing outside of those that there are', () => {
    fc.assert(
      fc.property(kind, place, fc.integer({ min: 1 }), ([channels, depth], at, seed) => {
        const image = noise({ width: 90, height: 70, channels, depth }, seed);
        expect(pasted(image, [])).toEqual(image);
        const [layer] = layersOf(image, [{ placement: placed(...at) }]);
        const { data } = pasted(image, layer ? [layer] : []);
        const region = layer?.region ?? { x: 0, y: 0, width: 0, height: 0 };
        const touched = image.data.map((sample, i) => {
          const [x, y] = [Math.trunc(i / channels) % 90, Math.trunc(i / channels / 90)];
          const isInside =
            x >= region.x && x < region.x + region.width && y >= region.y && y < region.y + region.height;
          const isAlpha = hasAlpha(channels) && i % channels === channels - 1;
          return isInside && !isAlpha ? (data[i] ?? 0) : sample;
        });
        expect(data).toEqual(touched);
      }),
      { numRuns: 20 },
    );
  });

  it('does not depend on the order of faces that do not overlap', () => {
    fc.assert(
      fc.property(kind, fc.integer({ min: 0, max: 30 }), ([channels, depth], shift) => {
        const image = noise({ width: 120, height: 60, channels, depth }, 7);
        const layers = layersOf(image, [
          { placement: placed(-5, shift, 50), level: 20 },
          { placement: placed(60, 30 - shift, 52), level: 200 },
        ]);
        expect(layers).toHaveLength(2);
        expect(pasted(image, layers)).toEqual(pasted(image, layers.toReversed()));
      }),
      { numRuns: 20 },
    );
  });

  it('does not depend on the order of faces whose squares overlap and whose masks do not', () => {
    const [left, right] = [maskOf((x) => x < 150), maskOf((x) => x >= 362)];
    const image = noise({ width: 140, height: 90, channels: 3, depth: 8 }, 5);
    const layers = layersOf(image, [
      { placement: placed(10, 5, 80), mask: left, level: 20 },
      { placement: placed(30, 10, 80), mask: right, level: 200 },
    ]);
    expect(pasted(image, layers)).toEqual(pasted(image, layers.toReversed()));
    expect(pasted(image, layers)).not.toEqual(pasted(image, layers.slice(1)));
  });

  it.each(KINDS)('shows the face in the middle of its square, %d channels of %d bits', (channels, depth) => {
    const image = { ...noise({ width: 100, height: 100, channels, depth }, 3) };
    const { data } = pasted(image, layersOf(image, [{ placement: placed(10, 10, 80) }]));
    const at = (50 * 100 + 50) * channels;
    const colors = hasAlpha(channels) ? channels - 1 : channels;
    const white = depth === 16 ? 65535 : 255;
    expect([...data.subarray(at, at + colors)]).toEqual(new Array(colors).fill(white));
    if (hasAlpha(channels)) expect(data[at + colors]).toBe(image.data[at + colors]);
  });

  it('shows it by its strength, in as many levels as the background has', () => {
    const shape = { width: 100, height: 100, channels: 1, depth: 16 } as const;
    const image: Image = { ...shape, data: allocateSamples(16, 100 * 100).fill(1003) };
    const { data } = pasted(image, layersOf(image, [{ placement: placed(10, 10, 80) }]), 0.25);
    expect(data[50 * 100 + 50]).toBe(Math.round(0.25 * 65535 + 0.75 * 1003));
    expect(data[0]).toBe(1003);
  });

  it('pastes what the parser took for a face, and no more', () => {
    const labels = new Uint8Array(FACE_SIDE ** 2).fill(1).fill(0, 0, (FACE_SIDE ** 2 / 2) | 0);
    const image: Image = { width: 512, height: 512, channels: 1, depth: 8, data: new Uint8Array(512 * 512) };
    const mask = parsedMask(labels);
    const { data } = pasted(image, layersOf(image, [{ placement: placed(0, 0, 512), mask }]));
    const row = (y: number): number => data[y * 512 + 256] ?? NaN;
    expect([row(100), row(180), row(340), row(450), row(507)]).toEqual([0, 0, 255, 255, 0]);
    expect(row(256)).toBeGreaterThan(100);
    expect(row(256)).toBeLessThan(160);
  });

  it('cuts a parsed mask off at its square only where the pipeline does', () => {
    const image: Image = { width: 560, height: 560, channels: 1, depth: 8, data: new Uint8Array(560 * 560) };
    const mask = filledPlane(FACE_SIDE, FACE_SIDE, 1);
    const shown = (isBoundBySquare: boolean): number =>
      pasted(image, layersOf(image, [{ placement: placed(24, 24, 512), mask, isBoundBySquare }])).data[
        280 * 560 + 34
      ] ?? NaN;
    expect(shown(false)).toBe(255);
    expect(shown(true)).toBeLessThan(200);
  });

  it('makes no layer of a face outside of the result, and one of a face of which a part is in it', () => {
    const result = { width: 50, height: 40 };
    const layer = (x: number, y: number) =>
      faceLayer({ face: WHITE, placement: placed(x, y, 30), isBoundBySquare: true }, result, 1);
    expect(layer(60, 0)).toBeUndefined();
    expect(layer(0, -40)).toBeUndefined();
    expect(layer(-20, -20)?.region).toMatchObject({ x: 0, y: 0 });
    expect(layer(45, 35)?.region).toMatchObject({ width: 6, height: 6 });
  });
});
