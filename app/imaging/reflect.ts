/** The place that stands for `index` beside `size` places: mirrored with the last one repeated, ... 1 0 | 0 1 2 | 2 1 ... */
export function reflect(index: number, size: number): number {
  const phase = modulo(index, 2 * size);
  return phase < size ? phase : 2 * size - 1 - phase;
}

/** The same, mirrored about the last one, which is not repeated: ... 2 1 | 0 1 2 | 1 0 ... */
export function reflect101(index: number, size: number): number {
  if (size === 1) return 0;
  const phase = modulo(index, 2 * size - 2);
  return phase < size ? phase : 2 * size - 2 - phase;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
