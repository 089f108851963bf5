import { GraphError } from '../onnx/errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ConvStep } from './dense-block.ts';
import { IndexedGraph, stepOf } from './dense-block.ts';

/** A convolution of a head, with what stands before and behind it. */
export interface HeadConv extends ConvStep {
  /** Whether every pixel is repeated, twice across and twice down, before it. */
  readonly isDoubled: boolean;
  /** Of the leaky ReLU behind it. */
  readonly slope: number;
  /** The value behind that. */
  readonly made: string;
}

/** What makes a picture of a trunk's features: convolutions in a row, some of which enlarge. */
export interface EnlargingHead {
  readonly input: string;
  readonly output: string;
  readonly nodes: readonly [from: number, to: number];
  readonly convs: readonly HeadConv[];
  /** The one that makes the picture; nothing follows it. */
  readonly last: ConvStep;
}

/** Beside more dense blocks the head is less than a sixth of the arithmetic, and its noise not worth the time that it saves. */
const MAX_BLOCKS = 36;

/**
 * The head that a graph declares, where it pays to have it in 8 bits.
 * @throws GraphError for a head of anything but 3x3 convolutions, leaky ReLU and doubled pixels
 */
export function headOf(graph: Graph): EnlargingHead | undefined {
  const region = graph.regions.find(({ kind }) => kind === 'head');
  const blocks = graph.regions.filter(({ kind }) => kind === 'dense-block').length;
  if (!region || blocks > MAX_BLOCKS) return undefined;
  const contents = new IndexedGraph(graph.contents());
  const convs: HeadConv[] = [];
  let isDoubled = false;
  for (const node of contents.nodes.slice(...region.nodes)) {
    if (node.op === 'Cast') continue; // of a weight: `weight` looks through it
    if (node.op === 'Resize') {
      isDoubled = true;
      continue;
    }
    const step = stepOf(contents, node);
    const before = convs.at(-1);
    if (step.kind === 'conv') convs.push({ ...step, isDoubled, slope: 1, made: step.output });
    else if (step.kind === 'activation' && before)
      convs[convs.length - 1] = { ...before, slope: step.slope, made: step.output };
    else throw new GraphError(`${node.op} in a head has no 8-bit form`);
    isDoubled = false;
  }
  const last = convs.pop();
  if (!last || last.isDoubled) throw new GraphError('a head ends with a convolution that enlarges nothing');
  return { ...region, convs, last };
}

/** The convolutions of a head, in their order. */
export function convsOfHead({ convs, last }: EnlargingHead): ConvStep[] {
  return [...convs, last];
}

/** The values that the convolutions of a head read, in their order; pixels that are repeated count as they were before. */
export function valuesRead({ input, convs }: EnlargingHead): string[] {
  return [input, ...convs.map(({ made }) => made)];
}
