/** About this many samples are worth handing on at once: few calls, and the second-level cache still holds them. */
export const BATCH_SAMPLES = 1 << 18;

/** How many rows of `rowLength` samples make a batch. */
export function batchRows(rowLength: number): number {
  return Math.max(1, Math.trunc(BATCH_SAMPLES / rowLength));
}
