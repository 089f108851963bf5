import { GraphError } from '../onnx/errors.ts';

/** Smallest and largest numbers that were seen, by channel. */
export interface ChannelRange {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** What the values of a graph were in all the pictures that it has seen. */
export class Ranges {
  readonly #seen = new Map<string, ChannelRange>();

  /** Widens the range of a value by what another picture made of it. */
  add(value: string, { low, high }: ChannelRange): void {
    const before = this.#seen.get(value);
    const joined = before && {
      low: low.map((number, channel) => Math.min(number, before.low[channel] ?? number)),
      high: high.map((number, channel) => Math.max(number, before.high[channel] ?? number)),
    };
    this.#seen.set(value, joined ?? { low: low.slice(), high: high.slice() });
  }

  of(value: string): ChannelRange {
    const range = this.#seen.get(value);
    if (!range) throw new GraphError(`${value} was not watched`);
    return range;
  }

  /** The largest magnitude by channel. */
  magnitudes(value: string): Float64Array {
    const { low, high } = this.of(value);
    return Float64Array.from(high, (number, channel) => Math.max(Math.abs(number), Math.abs(low[channel] ?? 0)));
  }
}
