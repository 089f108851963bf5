import type { ProtoGraph, ProtoInitializer, ProtoNode, ProtoValue } from '../onnx/model-proto.ts';
import type { DenseBlock } from './dense-block.ts';
import { LAGS } from './moments.ts';

/** Names of the outputs that have a value's smallest and largest number by channel. */
export const lowOf = (value: string): string => `low:${value}`;
export const highOf = (value: string): string => `high:${value}`;
/** Names of the outputs that have the means of `PixelMeans`. */
export const valuesOf = (value: string): string => `values:${value}`;
export const productsOf = (value: string): string => `products:${value}`;
/** Name of the output that has some of a value's pixels. */
export const sampleOf = (value: string): string => `sample:${value}`;

/** Of every third row every third pixel counts for means: neighbours say little more. */
const STRIDE = 3;
/** Of every fifth row every fifth pixel is a sample. */
const SAMPLE_STRIDE = 5;
/** How far the pixels lie apart whose products are averaged, at most. */
const REACH = 2;

/**
 * The graph with further outputs: for the input and every convolution of each dense block, `lowOf` and `highOf` its values, by
 * channel [C]; and for what its last convolution reads, `valuesOf` [C] and `productsOf` [LAGS * C]. They are reduced inside the
 * graph, so that no more than those leave it.
 * @param more.sampled values of which `sampleOf` is an output too [1, C, H / 5, W / 5]
 * @param more.averaged values of which `valuesOf` and `productsOf` are outputs too
 */
export function watchedGraph(
  graph: ProtoGraph,
  blocks: readonly DenseBlock[],
  { sampled, averaged }: { readonly sampled: readonly string[]; readonly averaged: readonly string[] },
): ProtoGraph {
  const watcher = new Watcher();
  for (const value of new Set(blocks.flatMap(watchedValues))) watcher.watchRange(value);
  for (const value of [...blocks.map(({ last }) => last.input), ...averaged]) watcher.watchMeans(value);
  for (const value of sampled) watcher.watchSample(value);
  return {
    ...graph,
    outputs: [...graph.outputs, ...watcher.outputs],
    nodes: [...graph.nodes, ...watcher.nodes],
    initializers: [...graph.initializers, ...watcher.constants.values()],
  };
}

/** The values of a block whose ranges `watchedGraph` watches. */
export function watchedValues({ input, steps }: DenseBlock): string[] {
  return [input, ...steps.flatMap((step) => (step.kind === 'conv' ? [step.output] : []))];
}

class Watcher {
  readonly nodes: ProtoNode[] = [];
  readonly outputs: ProtoValue[] = [];
  readonly constants = new Map<string, ProtoInitializer>();

  watchRange(value: string): void {
    this.#put(this.#reduced('ReduceMin', value, lowOf(value)));
    this.#put(this.#reduced('ReduceMax', value, highOf(value)));
  }

  /** Means over the same pixels all, so that they can be held against each other. */
  watchMeans(value: string): void {
    const seen = this.#pixels(value, [0, 0]);
    this.#put(this.#reduced('ReduceMean', seen, valuesOf(value)));
    const means = LAGS.map(([down, across], lag) => {
      const apart = lag === 0 ? seen : this.#pixels(value, [down, across]);
      return this.#reduced(
        'ReduceMean',
        this.#node('Mul', [seen, apart], `product:${lag}:${value}`),
        `mean:${lag}:${value}`,
      );
    });
    this.#put(this.#node('Concat', means, productsOf(value), { axis: 0 }));
  }

  watchSample(value: string): void {
    const [starts, ends] = [this.#integers([0, 0]), this.#integers([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])];
    const inputs = [value, starts, ends, this.#integers([2, 3]), this.#integers([SAMPLE_STRIDE, SAMPLE_STRIDE])];
    const name = this.#node('Slice', inputs, sampleOf(value));
    this.outputs.push({ name, type: 'float32', shape: [0, 1, 2, 3].map((axis) => `${name}_${axis}`) });
  }

  /** Those that lie so far from the ones that are averaged. */
  #pixels(value: string, [down, across]: readonly [number, number]): string {
    const starts = this.#integers([down, REACH + across]);
    const ends = this.#integers([endOf(down), endOf(across)]);
    const inputs = [value, starts, ends, this.#integers([2, 3]), this.#integers([STRIDE, STRIDE])];
    return this.#node('Slice', inputs, `pixels:${down}:${across}:${value}`);
  }

  #reduced(op: string, value: string, output: string): string {
    return this.#node(op, [value, this.#integers([0, 2, 3])], output, { keepdims: 0 });
  }

  #node(op: string, inputs: readonly string[], output: string, attributes: ProtoNode['attributes'] = {}): string {
    this.nodes.push({ op, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  #put(name: string): void {
    this.outputs.push({ name, type: 'float32', shape: [`${name}_length`] });
  }

  #integers(numbers: readonly number[]): string {
    const name = `watched:${numbers.join(',')}`;
    const data = new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
    this.constants.set(name, { name, type: 'int64', shape: [numbers.length], data });
    return name;
  }
}

/** Counted from the end of a side; what reaches it ends nowhere. */
function endOf(distance: number): number {
  return distance === REACH ? Number.MAX_SAFE_INTEGER : distance - REACH;
}
