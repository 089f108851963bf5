/** How large the pixels of a picture are meant to be, by axis: prints, scans and faxes say it. */
export interface Density {
  /** Pixels per unit of length, above 0. */
  readonly x: number;
  readonly y: number;
  /** `none`: only the shape of a pixel is known, by the ratio of the two. */
  readonly unit: 'inch' | 'none';
}

/**
 * What a header says as two numbers and a unit.
 * @param perInch what a number is to be multiplied with; 0 where there is no unit of length
 * @returns undefined where it says nothing: no numbers, or pixels that are square and no more
 */
export function densityOf(x: number, y: number, perInch: number): Density | undefined {
  if (!(x > 0 && y > 0) || !Number.isFinite(x * y)) return undefined;
  if (perInch === 0) return x === y ? undefined : { x, y, unit: 'none' };
  return { x: x * perInch, y: y * perInch, unit: 'inch' };
}
