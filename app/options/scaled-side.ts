/** A number as JavaScript writes it: digits, and a power of ten where it is large or small. */
const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/**
 * A side of a picture times a factor, in whole pixels, at least 1: `int()` of the exact product of the decimals that the factor
 * is written in, as Python's `int(Decimal(str(scale)) * side)`. So 2.3 times 100 is 230, where doubles make 229.99999999999997.
 * @param side whole pixels, at least 1
 * @param scale any number above 0
 * @returns Infinity where no double holds it
 */
export function scaledSide(side: number, scale: number): number {
  const [, whole, fraction = '', exponent = '0'] = DECIMAL.exec(String(scale)) ?? [];
  if (whole === undefined) return Math.max(1, Math.trunc(side * scale));
  const product = BigInt(side) * BigInt(whole + fraction);
  const power = Number(exponent) - fraction.length;
  return Math.max(1, Number(power < 0 ? product / 10n ** BigInt(-power) : product * 10n ** BigInt(power)));
}
