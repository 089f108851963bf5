/** Digits that a recipe's numbers keep: steps that are off by a thousandth change nothing that could be measured. */
const DIGITS = 4;

/** Numbers as a recipe has them. */
export function shortened(numbers: ArrayLike<number>): number[] {
  return Array.from(numbers, shortOf);
}

/** A number as a recipe has it. */
export function shortOf(number: number): number {
  return Number(number.toPrecision(DIGITS));
}
