import type { BitDepth, Channels, ImageShape } from '../image.ts';
import type { KernelMemory, Kernels } from './kernel-memory.ts';
import { putWeights } from './kernel-weights.ts';
import type { Windows } from './resample-windows.ts';
import type { RowBuffer, RowStage } from './row-buffer.ts';

type Kernel = keyof Kernels & `weighColumns${string}`;

const KERNELS: Readonly<Record<BitDepth, Readonly<Record<Channels, Kernel>>>> = {
  8: { 1: 'weighColumnsGray8', 2: 'weighColumnsGrayAlpha8', 3: 'weighColumnsRgb8', 4: 'weighColumnsRgba8' },
  16: { 1: 'weighColumnsGray16', 2: 'weighColumns16', 3: 'weighColumns16', 4: 'weighColumns16' },
};

/**
 * Resamples along x. 8-bit sums are exact 32-bit integers, rounded once and clipped; 16-bit sums are doubles, rounded half away from
 * zero, as Pillow's `_ImagingResampleHorizontal_8bpc` and `_16bpc`.
 */
export class HorizontalPass implements RowStage {
  readonly #weigh: (columns: number, source: number, target: number, rows: number) => void;
  readonly #columns: number;
  readonly #next: RowBuffer;

  /** @param next with room for as many rows as come at once */
  constructor(
    memory: KernelMemory,
    { channels, depth }: Pick<ImageShape, 'channels' | 'depth'>,
    windows: Windows,
    next: RowBuffer,
  ) {
    const { inputSize, outputSize, starts, counts } = windows;
    const pairs = new Int32Array(outputSize * 2);
    for (let x = 0; x < outputSize; x++) pairs.set([starts[x] ?? 0, counts[x] ?? 0], x * 2);
    const weights = putWeights(memory, windows, depth);
    this.#weigh = memory.kernels[KERNELS[depth][channels]];
    // `Columns` of assembly/columns.ts.
    this.#columns = memory.put(
      Int32Array.of(
        inputSize * channels,
        outputSize * channels,
        outputSize,
        memory.put(pairs),
        weights.address,
        weights.highs,
        weights.stride,
      ),
    );
    this.#next = next;
  }

  take(address: number, rows: number): number {
    this.#weigh(this.#columns, address, this.#next.room(rows), rows);
    return 0;
  }

  end(): void {
    this.#next.end();
  }
}
