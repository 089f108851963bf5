import type { BitDepth } from '../image.ts';
import { rowLength } from '../image.ts';
import { KernelMemory } from './kernel-memory.ts';
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
  const memory = new KernelMemory();
  const columns = memory.put(across.subarray(region.x, region.x + region.width));
  const lines = nearestPositions(source.height, whole.height, sink.depth).subarray(region.y, region.y + region.height);
  const length = rowLength(sink);
  const pixelBytes = (sink.channels * sink.depth) / 8;
  const bytes = sink.width * pixelBytes;
  const pieceRows = Math.min(batchRows(length), sink.height);
  const piece = memory.allocate(pieceRows * bytes);
  const from = memory.allocate(source.width * pixelBytes);
  for (let y = 0; y < sink.height; y += pieceRows) {
    const rows = Math.min(pieceRows, sink.height - y);
    for (let i = 0; i < rows; i++) {
      const line = lines[y + i] ?? -1;
      const target = piece + i * bytes;
      if (i > 0 && line === lines[y + i - 1]) {
        memory.move(target - bytes, target, bytes);
      } else if (line < 0) {
        memory.bytes(target, bytes).fill(0);
      } else {
        memory.samples(from, rowLength(source), source.depth).set(source.readRows(line, 1));
        memory.kernels.pickColumns(from, columns, sink.width, pixelBytes, target);
      }
    }
    sink.writeRows(memory.samples(piece, rows * length, sink.depth));
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
