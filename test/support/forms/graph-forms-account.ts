import type { DeclaredGraph } from '../../../app/onnx/graph.ts';
import type { ProtoNode } from '../../../app/onnx/model-proto.ts';
import { channelsLastGraph } from '../../../app/rewriting/channels-last.ts';
import { INTERNAL_DOMAIN } from '../../../app/rewriting/channels-last-operators.ts';
import { repeatedBlocks } from '../../../app/rewriting/repeated-blocks.ts';

const MOST_TOLD = 3;

/** How many of a graph's innermost blocks become one body with others, and how many there are. */
export function blocksInLoops(graph: DeclaredGraph): readonly [inLoops: number, all: number] {
  const blocks = graph.regions.filter(({ kind }) => kind === 'block');
  const holds = ([from, to]: readonly [number, number], nodes: readonly [number, number]): boolean =>
    from <= nodes[0] && nodes[1] <= to;
  const innermost = blocks.filter(
    ({ nodes }) => !blocks.some((other) => other.nodes !== nodes && holds(nodes, other.nodes)),
  );
  const rows = repeatedBlocks(graph).map(({ blocks: row }): readonly [number, number] => [
    row[0].nodes[0],
    row.at(-1)?.nodes[1] ?? 0,
  ]);
  return [innermost.filter(({ nodes }) => rows.some((row) => holds(row, nodes))).length, innermost.length];
}

/** The nodes of a graph and of all loops in it. */
export function everyNode(nodes: readonly ProtoNode[]): ProtoNode[] {
  return nodes.flatMap((node) => {
    const { body } = node.attributes;
    const isBody = typeof body === 'object' && 'body' in body;
    return [node, ...(isBody ? everyNode(body.body.nodes) : [])];
  });
}

/** Why convolutions of a graph keep their channels first; empty where none does. */
export function whyNotLast(graph: DeclaredGraph): string {
  const isConvolution = ({ op }: ProtoNode): boolean => op === 'Conv';
  const convolutions = graph.nodes.filter(isConvolution);
  const last = channelsLastGraph(graph, Infinity);
  const lastCount = last.nodes.filter(({ domain }) => domain === INTERNAL_DOMAIN).length;
  if (convolutions.length === 0) return 'no convolutions';
  if (channelsLastGraph(graph) !== graph) {
    const others = last.nodes.filter((node) => isConvolution(node) && node.domain === '');
    return countedText(others.map(({ attributes }) => (attributes['group'] === 1 ? 'uneven' : 'grouped')));
  }
  const changes = layoutChanges(last);
  return `${changes.length} changes of layout for ${lastCount} convolutions: ${countedText(changes)}`;
}

/** What each change of layout is for: the operators that take what it makes, or the one that made what it takes. */
function layoutChanges({ nodes }: DeclaredGraph): string[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isOwn = (node: ProtoNode | undefined): boolean => node?.domain === INTERNAL_DOMAIN;
  return nodes.flatMap(({ op, inputs: [input = ''], outputs: [output = ''] }) => {
    const maker = makers.get(input);
    if (op !== 'Transpose' || !maker) return [];
    const takers = nodes.filter(({ inputs }) => inputs.includes(output));
    const other = takers.find((node) => !isOwn(node) && node.op !== 'Transpose');
    return [other && !takers.some(isOwn) ? other.op : maker.op];
  });
}

/** `Reshape 12, MaxPool 3`: the most frequent. */
function countedText(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_TOLD);
  return most.map(([name, count]) => `${name} ${count}`).join(', ');
}
