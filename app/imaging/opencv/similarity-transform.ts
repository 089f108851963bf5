/** A point in pixels. */
export type Point = readonly [x: number, y: number];

/** `x' = a x + b y + c`, `y' = d x + e y + f`: row by row, as OpenCV writes it. */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/**
 * The pairs of points, out of five, from which candidates are made: what the fixed random numbers of OpenCV's
 * `estimateAffinePartial2D(method=LMEDS)` draw for five points.
 */
const PAIRS = [
  [0, 4], [0, 3], [1, 2], [1, 0], [3, 0], [0, 4], [1, 4], [3, 1], [0, 3], [0, 1], [0, 4], [4, 1], [0, 3],
] as const; // prettier-ignore

/** 2.5 standard deviations, the deviation guessed from the median of five errors (Rousseeuw, 1984). */
const INLIER_FACTOR = 2.5 * 1.4826 * (1 + 5 / 3);
const MIN_SIGMA = 0.001;

/**
 * The rotation, scale and shift that map five points to five others, by the least median of squares: a point that does not
 * fit, as one landmark of a face in profile, is left out. Equal to OpenCV's `estimateAffinePartial2D` with LMEDS to a fraction
 * of a pixel.
 * @returns undefined where the points do not tell (they lie on one spot)
 */
export function estimateSimilarity(from: readonly Point[], to: readonly Point[]): AffineMatrix | undefined {
  const [source, target] = [from.map(toFloat32), to.map(toFloat32)];
  let best: { readonly median: number; readonly errors: readonly number[] } | undefined;
  for (const pair of PAIRS) {
    const candidate = leastSquares(pick(source, pair), pick(target, pair));
    if (!candidate) continue;
    const errors = squaredErrors(candidate, source, target);
    const median = errors.toSorted((a, b) => a - b)[2] ?? Infinity;
    if (!best || median < best.median) best = { median, errors };
  }
  if (!best) return undefined;
  const sigma = Math.max(INLIER_FACTOR * Math.sqrt(best.median), MIN_SIGMA);
  const inliers = best.errors.flatMap((error, index) => (error <= sigma ** 2 ? [index] : []));
  return leastSquares(pick(source, inliers), pick(target, inliers));
}

/** The matrix of the way back; of numbers that are not finite where there is none. */
export function invertAffine([a, b, c, d, e, f]: AffineMatrix): AffineMatrix {
  const determinant = a * e - b * d;
  const [ia, ib, id, ie] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

/** `(x, y)` mapped by `matrix`. */
export function mapPoint([a, b, c, d, e, f]: AffineMatrix, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** The similarity of the least squared errors: a complex factor about the centroids. */
function leastSquares(from: readonly Point[], to: readonly Point[]): AffineMatrix | undefined {
  const [source, target] = [centroid(from), centroid(to)];
  let [dot, cross, norm] = [0, 0, 0];
  from.forEach(([x, y], index) => {
    const [u, v] = to[index] ?? target;
    const [px, py, qx, qy] = [x - source[0], y - source[1], u - target[0], v - target[1]];
    dot += px * qx + py * qy;
    cross += px * qy - py * qx;
    norm += px * px + py * py;
  });
  const [cosine, sine] = [dot / norm, cross / norm];
  if (norm === 0 || (cosine === 0 && sine === 0)) return undefined;
  const shiftX = target[0] - (cosine * source[0] - sine * source[1]);
  const shiftY = target[1] - (sine * source[0] + cosine * source[1]);
  return [cosine, -sine, shiftX, sine, cosine, shiftY];
}

function squaredErrors(matrix: AffineMatrix, from: readonly Point[], to: readonly Point[]): number[] {
  return from.map((point, index) => {
    const [x, y] = mapPoint(matrix, point);
    const [u, v] = to[index] ?? point;
    return Math.fround((x - u) ** 2 + (y - v) ** 2);
  });
}

function centroid(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

function pick(points: readonly Point[], indices: readonly number[]): Point[] {
  return points.filter((_, index) => indices.includes(index));
}

function toFloat32([x, y]: Point): Point {
  return [Math.fround(x), Math.fround(y)];
}
