/** One channel of floats: rows from the top, pixels from the left. What masks are made of. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Changes one row of a plane into another of the same length; `target` is not `source`. */
export type RowFilter = (source: Float32Array, target: Float32Array) => void;

/** A plane of one value. */
export function filledPlane(width: number, height: number, value: number): Plane {
  return { width, height, data: new Float32Array(width * height).fill(value) };
}

/** Filters every row of `plane`, then every column. */
export function filterBothWays(plane: Plane, alongRows: RowFilter, alongColumns: RowFilter): Plane {
  return transpose(filterRows(transpose(filterRows(plane, alongRows)), alongColumns));
}

function filterRows({ width, height, data }: Plane, filter: RowFilter): Plane {
  const filtered = new Float32Array(data.length);
  for (let from = 0; from < data.length; from += width) {
    filter(data.subarray(from, from + width), filtered.subarray(from, from + width));
  }
  return { width, height, data: filtered };
}

/** Pixels of a square that fits the processor's nearest cache, so that columns are as cheap as rows. */
const BLOCK = 32;

function transpose({ width, height, data }: Plane): Plane {
  const turned = new Float32Array(data.length);
  for (let top = 0; top < height; top += BLOCK) {
    const bottom = Math.min(top + BLOCK, height);
    for (let x = 0; x < width; x++) {
      for (let y = top; y < bottom; y++) turned[x * height + y] = data[y * width + x] ?? 0;
    }
  }
  return { width: height, height: width, data: turned };
}
