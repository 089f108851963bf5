import type { Value } from './value.ts';

/** Height and width of a part. */
export type PartSides = readonly [height: number, width: number];

/** How a map falls into parts that are worked on each for itself: blocks that lie side by side, or every k-th pixel of the map. */
export type PartKind = 'blocks' | 'interleaved';

/** [N, C, H, W], whose sides are multiples of a part's, to the parts of each picture, row by row: [N parts, C, height, width]. */
export function cutParts(map: Value, kind: PartKind, [height, width]: PartSides): Value {
  const [n, c, rows, columns] = [map.size(0), map.size(1), map.size(2) / height, map.size(3) / width];
  const split = kind === 'blocks' ? [n, c, rows, height, columns, width] : [n, c, height, rows, width, columns];
  const order = kind === 'blocks' ? [0, 2, 4, 1, 3, 5] : [0, 3, 5, 1, 2, 4];
  return map
    .reshape(split)
    .transpose(order)
    .reshape([n * rows * columns, c, height, width]);
}

/** What `cutParts` gave, back to a map with the sides of `whole`, whatever its channels. */
export function joinParts(parts: Value, kind: PartKind, whole: Value): Value {
  const [c, height, width] = [parts.size(1), parts.size(2), parts.size(3)];
  const [n, rows, columns] = [whole.size(0), whole.size(2) / height, whole.size(3) / width];
  const order = kind === 'blocks' ? [0, 3, 1, 4, 2, 5] : [0, 3, 4, 1, 5, 2];
  return parts
    .reshape([n, rows, columns, c, height, width])
    .transpose(order)
    .reshape([n, c, rows * height, columns * width]);
}
