import { rowLength } from './image.ts';
import type { Rectangle } from './rectangle.ts';
import { batchRows } from './row-batch.ts';
import type { RowSource } from './rows.ts';

/**
 * The smallest rectangle outside of which two pictures of one shape are the same; its corner lies at even numbers, as some formats want
 * it. Where they are the same everywhere, a pixel.
 */
export function changedPart(before: RowSource, after: RowSource): Rectangle {
  const { width, height, channels } = after;
  let [left, top, right, bottom] = [width, height, -1, -1];
  const batch = batchRows(rowLength(after));
  for (let y = 0; y < height; y += batch) {
    const count = Math.min(batch, height - y);
    const [old, now] = [before.readRows(y, count), after.readRows(y, count)];
    for (let at = 0; at < now.length; at++) {
      if (old[at] === now[at]) continue;
      const pixel = Math.trunc(at / channels);
      const [x, row] = [pixel % width, y + Math.trunc(pixel / width)];
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  if (right < 0) return { x: 0, y: 0, width: 1, height: 1 };
  const [x, y] = [left - (left % 2), top - (top % 2)];
  return { x, y, width: right + 1 - x, height: bottom + 1 - y };
}
