/** The `code` of a Node error, also where it is the cause of another. */
export function errorCode(error: unknown): string | undefined {
  const codes = causes(error).map((one) => (one as { code?: unknown }).code);
  return codes.find((code) => typeof code === 'string');
}

/** An error and what it was caused by. Told by their shape: errors of Node itself may be of another realm (as under Jest). */
export function causes(error: unknown): readonly object[] {
  const found: object[] = [];
  for (let inner = error; typeof inner === 'object' && inner !== null && !found.includes(inner);) {
    found.push(inner);
    inner = (inner as { cause?: unknown }).cause;
  }
  return found;
}
