/**
 * The pixels of a row at some columns, a column's number 32 bits; that of -1 is a pixel of zeros.
 * @param size bytes in a pixel
 */
export function pickColumns(row: usize, columns: usize, count: i32, size: i32, target: usize): void {
  for (let x: i32 = 0; x < count; x++) {
    const column = load<i32>(columns + (x << 2));
    // Eight bytes hold any pixel. Those past it are the next one's, which is written next.
    store<u64>(target, column < 0 ? 0 : load<u64>(row + column * size));
    target += size;
  }
}
