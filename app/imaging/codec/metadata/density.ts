/** How large the pixels of a picture are meant to be, by axis: prints, scans and faxes say it. */
export interface Density {
  /** Pixels per unit of length, above 0. */
  readonly x: number;
  readonly y: number;
  /** `none`: only the shape of a pixel is known, by the ratio of the two. */
  readonly unit: 'inch' | 'none';
}

/** Of what is beyond these there is no picture, and TIFF's writer takes no more. */
const [LEAST_PER_INCH, MOST_PER_INCH] = [0.1, 10_000_000];
/** What every format holds of the two numbers of a ratio. */
const MOST_OF_RATIO = 65_535;
/** Of a ratio that is not told in such numbers, the smaller of the two. */
const SIDE = 1000;
const ROUNDING = 1e-4;
/** TIFF's and EXIF's ResolutionUnit, and what a number per unit is per inch: none, inch, centimetre. */
const PER_INCH: readonly number[] = [0, 0, 1, 2.54];
const INCH = 2;

/**
 * What a header says as two numbers and a unit.
 * @param perInch what a number is to be multiplied with; 0 where there is no unit of length
 * @returns undefined where it says nothing: no numbers, none that a picture can have, or pixels that are square and no more
 */
export function densityOf(x: number, y: number, perInch: number): Density | undefined {
  if (!(x > 0 && y > 0) || !Number.isFinite(x * y)) return undefined;
  if (perInch === 0) return x === y ? undefined : ratioOf(x, y);
  const [least, most] = [Math.min(x, y) * perInch, Math.max(x, y) * perInch];
  if (least < LEAST_PER_INCH || most > MOST_PER_INCH) return undefined;
  return { x: x * perInch, y: y * perInch, unit: 'inch' };
}

/** What a directory of TIFF or EXIF says: its XResolution, YResolution and ResolutionUnit. */
export function densityInUnit(x: number, y: number, unit = INCH): Density | undefined {
  return densityOf(x, y, PER_INCH[unit] ?? 0);
}

/** In whole numbers, which PNG and JPEG have, and TIFF in a fraction. */
function ratioOf(x: number, y: number): Density | undefined {
  const isWhole = [x, y].every((side) => Math.abs(side - Math.round(side)) <= side * ROUNDING);
  const factor = isWhole && Math.max(x, y) <= MOST_OF_RATIO ? 1 : SIDE / Math.min(x, y);
  const ratio = { x: Math.round(x * factor), y: Math.round(y * factor), unit: 'none' } as const;
  return Math.max(ratio.x, ratio.y) > MOST_OF_RATIO ? undefined : ratio;
}
