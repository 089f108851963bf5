/** How the columns of a picture are weighed: what stays from strip to strip. The product's side writes these as integers, in this order. */
@unmanaged
export class Columns {
  /** Samples in a row before. */
  sourceLength: i32;
  /** And after. */
  targetLength: i32;
  /** Columns after. */
  outputs: i32;
  /** For each of them, where its window begins and how many columns are in it: two integers. */
  windows: usize;
  /** The weights of the first window: doubles, or the lower 16 bits of fixed-point ones, and zeros up to a multiple of 8. */
  weights: usize;
  /** Where the upper 16 bits begin. */
  highs: usize;
  /** Bytes from the weights of a window to those of the next. */
  stride: i32;
}
