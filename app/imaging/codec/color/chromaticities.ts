/** CIE 1931 x and y of the white and of the three primaries of an RGB space. */
export interface Chromaticities {
  readonly white: Point;
  readonly red: Point;
  readonly green: Point;
  readonly blue: Point;
}

type Point = readonly [x: number, y: number];
/** Three rows of three. */
type Matrix = readonly [Triple, Triple, Triple];
type Triple = readonly [number, number, number];

const D65: Point = [0.3127, 0.329];
const C: Point = [0.31, 0.316];
/** XYZ of the white that ICC profiles are relative to. */
const D50: Triple = [0.9642, 1, 0.8249];

/** Of sRGB and BT.709. */
export const SRGB_CHROMATICITIES: Chromaticities = {
  white: D65,
  red: [0.64, 0.33],
  green: [0.3, 0.6],
  blue: [0.15, 0.06],
};

/** By colour primaries (ITU-T H.273, table 2); 2 is "not told", which is taken for sRGB. */
const PRIMARIES: ReadonlyMap<number, Chromaticities> = new Map<number, Chromaticities>([
  [1, SRGB_CHROMATICITIES],
  [2, SRGB_CHROMATICITIES],
  [4, { white: C, red: [0.67, 0.33], green: [0.21, 0.71], blue: [0.14, 0.08] }],
  [5, { white: D65, red: [0.64, 0.33], green: [0.29, 0.6], blue: [0.15, 0.06] }],
  [6, { white: D65, red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07] }],
  [7, { white: D65, red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07] }],
  [8, { white: C, red: [0.681, 0.319], green: [0.243, 0.692], blue: [0.145, 0.049] }],
  [9, { white: D65, red: [0.708, 0.292], green: [0.17, 0.797], blue: [0.131, 0.046] }],
  [11, { white: [0.314, 0.351], red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06] }],
  [12, { white: D65, red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06] }],
  [22, { white: D65, red: [0.63, 0.34], green: [0.295, 0.605], blue: [0.155, 0.077] }],
]);

/** The primaries and the white of a code of H.273; undefined for what is reserved, and for 10, which are XYZ and no RGB. */
export function chromaticitiesOf(primaries: number): Chromaticities | undefined {
  return PRIMARIES.get(primaries);
}

/** Whether no coordinate differs from sRGB's by more than `tolerance`. */
export function isNearSrgb(told: Chromaticities, tolerance: number): boolean {
  const points = (of: Chromaticities): number[] => [of.white, of.red, of.green, of.blue].flat();
  const wanted = points(SRGB_CHROMATICITIES);
  return points(told).every((value, i) => Math.abs(value - (wanted[i] ?? 0)) <= tolerance);
}

/**
 * The matrix from linear RGB to XYZ relative to D50, adapted by Bradford's method, and the adaptation by itself.
 * @returns undefined for points that span no RGB space
 */
export function toProfileSpace(
  told: Chromaticities,
): { readonly rgb: Matrix; readonly adaptation: Matrix } | undefined {
  const points = [told.red, told.green, told.blue, told.white];
  if (points.some(([x, y]) => !(x >= 0 && y > 0))) return undefined;
  const [red, green, blue, white] = points.map(([x, y]): Triple => [x / y, 1, (1 - x - y) / y]) as [
    Triple,
    Triple,
    Triple,
    Triple,
  ];
  const primaries = transposed([red, green, blue]);
  const inverse = inverted(primaries);
  if (!inverse) return undefined;
  const rgb = multiplied(primaries, diagonal(applied(inverse, white)));
  const cones = applied(BRADFORD, D50).map((value, i) => value / (applied(BRADFORD, white)[i] ?? 1));
  const back = inverted(BRADFORD) ?? BRADFORD;
  const adaptation = multiplied(back, multiplied(diagonal(cones as unknown as Triple), BRADFORD));
  return { rgb: multiplied(adaptation, rgb), adaptation };
}

const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

function applied(matrix: Matrix, [x, y, z]: Triple): Triple {
  return matrix.map(([a, b, c]) => a * x + b * y + c * z) as unknown as Triple;
}

function multiplied(left: Matrix, right: Matrix): Matrix {
  return transposed(transposed(right).map((column) => applied(left, column)) as unknown as Matrix);
}

function transposed([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix {
  return [
    [a, d, g],
    [b, e, h],
    [c, f, i],
  ];
}

function diagonal([x, y, z]: Triple): Matrix {
  return [
    [x, 0, 0],
    [0, y, 0],
    [0, 0, z],
  ];
}

function inverted(matrix: Matrix): Matrix | undefined {
  const [[a, b, c], [d, e, f], [g, h, i]] = matrix;
  const cofactors: Matrix = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  const determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0];
  if (!(Math.abs(determinant) > 1e-9)) return undefined;
  return cofactors.map((row) => row.map((value) => value / determinant)) as unknown as Matrix;
}
