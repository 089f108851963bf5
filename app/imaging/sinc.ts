/** The normalised sinc: sin(pi x) / (pi x), and 1 at 0. */
export function sinc(x: number): number {
  const angle = Math.PI * x;
  return x === 0 ? 1 : Math.sin(angle) / angle;
}
