import type { DeclaredGraph } from '../../app/onnx/graph.ts';
import { Graph } from '../../app/onnx/graph.ts';
import type { ProtoNode } from '../../app/onnx/model-proto.ts';
import type { Tensor } from '../../app/inference/session.ts';
import { Session } from '../../app/inference/session.ts';

/** Side of the matrices by which a machine's arithmetic is measured: they fit in a cache, and little of their time is not arithmetic. */
const SIDE = 1024;

/** Multiplications, each with an addition, of a graph's convolutions and matrix products; sides must be known. */
export function multiplicationsOf({ nodes, wires }: DeclaredGraph): number {
  const sizes = (name: string | undefined): readonly number[] => {
    return (wires.get(name ?? '')?.shape ?? []).map((size) => size ?? NaN);
  };
  const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
  const of = ({ op, inputs, outputs, attributes }: ProtoNode): number => {
    const [first, second] = [sizes(inputs[0]), sizes(inputs[1])];
    if (op === 'Conv') return count(sizes(outputs[0])) * count(second.slice(1));
    if (op === 'ConvTranspose') return count(first) * count(second.slice(1));
    if (op === 'MatMul') return count(sizes(outputs[0])) * (first.at(-1) ?? NaN);
    if (op === 'Gemm') return count(sizes(outputs[0])) * (first[attributes['transA'] === 1 ? 0 : 1] ?? NaN);
    return 0;
  };
  return nodes.reduce((sum, node) => sum + of(node), 0);
}

/** Measures how long this machine takes for a multiplication now, by a product of matrices: what no network in fp32 can be much below. */
export async function openArithmeticLimit(): Promise<() => Promise<number>> {
  const graph = new Graph();
  const input = graph.input('input', 'float32', [SIDE, SIDE]);
  graph.output('output', input.matmul(input));
  const session = await Session.open(graph.serialize(), { weightsFolder: '.', device: 'cpu' });
  const data = Float32Array.from({ length: SIDE ** 2 }, (_, i) => ((i * 37) % 256) / 255);
  const matrix: Tensor = { type: 'float32', data, dims: [SIDE, SIDE] };
  return async () => {
    const start = performance.now();
    await session.run({ input: matrix });
    return (performance.now() - start) / SIDE ** 3;
  };
}
