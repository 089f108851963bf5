import type { Samples } from '../../image.ts';
import { allocateSamples, maxSample } from '../../image.ts';
import type { RowSource } from '../../rows.ts';

/** A source of 16 bits in 8, to the nearest level. */
export function eightBitRows(source: RowSource): RowSource {
  const { width, height, channels } = source;
  const step = maxSample(16) / maxSample(8);
  const readRows = (y: number, count: number): Samples => {
    const rows = source.readRows(y, count);
    const reduced = allocateSamples(8, rows.length);
    for (let i = 0; i < rows.length; i++) reduced[i] = Math.round((rows[i] ?? 0) / step);
    return reduced;
  };
  return { width, height, channels, depth: 8, readRows };
}
