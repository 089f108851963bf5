/** The largest distance between two tensors' elements; NaN anywhere, or another length, is infinitely far. */
export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (Number.isNaN(apart)) return Infinity;
    largest = Math.max(largest, apart);
  }
  return largest;
}
