import type { BitDepth, Channels, Samples } from '../image.ts';
import { allocateSamples, rowLength } from '../image.ts';
import { batchRows } from '../row-batch.ts';
import type { Rectangle } from '../rectangle.ts';
import type { RowSink, RowSource } from '../rows.ts';

type Sides = Pick<Rectangle, 'width' | 'height'>;

/**
 * Picks the nearest pixel as Pillow does: 8 bits by `ImagingScaleAffine`, which accumulates the source coordinate, 16 bits
 * by `ImagingGenericTransform`, which multiplies it. The rounding error shows, where a coordinate falls between two pixels.
 * Of a result that is `whole`, `region` is what the sink holds; by default all of it.
 */
export function resampleNearest(
  source: RowSource,
  sink: RowSink,
  onRows: (y: number) => void,
  { whole, region }: { readonly whole: Sides; readonly region: Rectangle } = {
    whole: sink,
    region: { x: 0, y: 0, ...sink },
  },
): void {
  const across = nearestPositions(source.width, whole.width, sink.depth);
  const columns = across.subarray(region.x, region.x + region.width);
  const lines = nearestPositions(source.height, whole.height, sink.depth).subarray(region.y, region.y + region.height);
  const length = rowLength(sink);
  const pieceRows = Math.min(batchRows(length), sink.height);
  const piece = allocateSamples(sink.depth, pieceRows * length);
  for (let y = 0; y < sink.height; y += pieceRows) {
    const rows = Math.min(pieceRows, sink.height - y);
    for (let i = 0; i < rows; i++) {
      const line = lines[y + i] ?? -1;
      const target = piece.subarray(i * length, (i + 1) * length);
      if (i > 0 && line === lines[y + i - 1]) piece.copyWithin(i * length, (i - 1) * length, i * length);
      else if (line < 0) target.fill(0);
      else pick(source.readRows(line, 1), target, columns, source.channels);
    }
    sink.writeRows(piece.subarray(0, rows * length));
    onRows(y + rows);
  }
}

/** The source position of each output position; -1 where rounding has carried it outside, which becomes zeros. */
function nearestPositions(inputSize: number, outputSize: number, depth: BitDepth): Int32Array {
  const step = inputSize / outputSize;
  const positions = new Int32Array(outputSize);
  let accumulated = step * 0.5;
  for (let i = 0; i < outputSize; i++) {
    const position = Math.trunc(depth === 8 ? accumulated : step * (i + 0.5));
    positions[i] = position < inputSize ? position : -1;
    accumulated += step;
  }
  return positions;
}

function pick(source: Samples, target: Samples, columns: Int32Array, channels: Channels): void {
  for (let x = 0, o = 0; x < columns.length; x++, o += channels) {
    const column = columns[x] ?? -1;
    for (let c = 0; c < channels; c++) target[o + c] = column < 0 ? 0 : (source[column * channels + c] ?? 0);
  }
}
