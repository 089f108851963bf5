import type { RowSampler, WarpSource } from '../../imaging/opencv/affine-warp.ts';
import { planeSource, rowSampler } from '../../imaging/opencv/affine-warp.ts';
import type { Plane } from '../../imaging/opencv/plane.ts';
import type { AffineMatrix } from '../../imaging/opencv/similarity-transform.ts';
import { invertAffine, mapPoint } from '../../imaging/opencv/similarity-transform.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { squareMask } from './face-mask.ts';

/** A restored face and how it is put into the result. */
export interface RestoredFace {
  /** RGB, 0..255. */
  readonly face: WarpSource;
  /** From the face's pixels to the result's. */
  readonly placement: AffineMatrix;
  /** What the parser saw of it (`parsedMask`); without, the square is pasted. */
  readonly mask?: Plane | undefined;
  /** Whether the square bounds a parsed mask too, as in CodeFormer's pipeline. */
  readonly isBoundBySquare: boolean;
}

/** A face in the result, ready to be blended in, row by row. */
export interface FaceLayer {
  /** The part of the result that it may change. */
  readonly region: Rectangle;
  /**
   * Blends the face into row `y` of the region. `row` has the region's width in RGB, in units of which the face's 255 is
   * `255 * unit`.
   */
  readonly blendRow: (y: number, row: Float64Array, unit: number) => void;
}

/**
 * Makes a layer of a restored face.
 * @param scale how many pixels of the result one of the picture is
 * @returns undefined where no part of the face is in the result
 */
export function faceLayer(
  restored: RestoredFace,
  result: { readonly width: number; readonly height: number },
  scale: number,
): FaceLayer | undefined {
  const { face, placement, mask, isBoundBySquare } = restored;
  const region = regionOf(face, placement, result);
  if (!region) return undefined;
  const { x, width } = region;
  const square = mask && !isBoundBySquare ? undefined : squareMask(placement, region, scale);
  const back = invertAffine(placement);
  const sampleFace = roundedSampler(face, back);
  const sampleMask = mask && rowSampler(planeSource(mask), back, [0]);
  const colors = new Float32Array(width * 3);
  const shares = new Float32Array(width).fill(1);
  return {
    region,
    blendRow(y, row, unit) {
      const span = { x, y, count: width };
      sampleFace(span, colors);
      sampleMask?.(span, shares);
      const from = (y - region.y) * width;
      for (let i = 0; i < width; i++) {
        const share = Math.min(shares[i] ?? 0, square ? (square.soft.data[from + i] ?? 0) : 1);
        if (share === 0) continue;
        const weight = share * unit * (square ? (square.inner.data[from + i] ?? 0) : 1);
        for (let at = i * 3; at < i * 3 + 3; at++) row[at] = weight * (colors[at] ?? 0) + (1 - share) * (row[at] ?? 0);
      }
    },
  };
}

/** 8-bit faces are 8-bit after the warp too, as the reference has it. */
function roundedSampler(face: WarpSource, back: AffineMatrix): RowSampler {
  const sample = rowSampler(face, back, [0, 0, 0]);
  if (face.data instanceof Float32Array) return sample;
  let rounded = new Uint8ClampedArray(); // rounds halves to even
  return (span, out) => {
    sample(span, out);
    if (rounded.length !== out.length) rounded = new Uint8ClampedArray(out.length);
    rounded.set(out);
    out.set(rounded);
  };
}

/** The box about the placed face with at least a pixel around it, as far as it is in the result. */
function regionOf(
  { width, height }: WarpSource,
  placement: AffineMatrix,
  result: { readonly width: number; readonly height: number },
): Rectangle | undefined {
  // Where the bilinear weight of the face's outermost pixels becomes 0.
  const corners = [-1, width].flatMap((x) => [-1, height].map((y) => mapPoint(placement, [x, y])));
  const range = (values: readonly number[], size: number): readonly [number, number] => [
    Math.max(0, Math.floor(Math.min(...values))),
    Math.min(size, Math.ceil(Math.max(...values)) + 1),
  ];
  const [left, right] = range(
    corners.map(([x]) => x),
    result.width,
  );
  const [top, bottom] = range(
    corners.map(([, y]) => y),
    result.height,
  );
  return left < right && top < bottom ? { x: left, y: top, width: right - left, height: bottom - top } : undefined;
}
