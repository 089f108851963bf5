import { GraphError } from '../onnx/errors.ts';
import type { DeclaredGraph, Graph, Region, Wire } from '../onnx/graph.ts';
import type { ProtoNode } from '../onnx/model-proto.ts';
import { ELEMENT_CODES } from '../onnx/model-proto.ts';
import { ConstantValues } from './constant-values.ts';

const { float16, float32 } = ELEMENT_CODES;

/** Resize takes the factors of its sides in float32, whatever it resizes. */
const FACTORS_INPUT = 2;

/**
 * The graph with its network in float16: picture and weights are cast on their way in (weights once, when the session loads), the
 * result on its way out. For devices that calculate in float16; the CPU's kernels do not, and it is they that calculate what follows from
 * weights alone when the session loads: that stays float32 up to the cast.
 * @throws GraphError where the graph declares no network
 */
export function halfGraph(graph: Graph): DeclaredGraph {
  const contents = graph.contents();
  const network = graph.regions.find(({ kind }) => kind === 'network');
  if (!network) throw new GraphError('the graph declares no network');
  const [from, to] = network.nodes;
  const inside = contents.nodes.slice(from, to);
  const constants = new ConstantValues(contents);
  const isPrepared = (node: ProtoNode): boolean => constants.isMadeBy(node);
  const taken = new Set<string>();
  const half = (input: string): string => {
    if (input === network.input) return `half_${input}`;
    if (!constants.has(input) || contents.wires.get(input)?.type !== 'float32') return renamed(input, network.output);
    taken.add(input);
    return `half_${input}`;
  };
  const halved = inside
    .filter((node) => !isPrepared(node))
    .map((node) => {
      const inputs = node.inputs.map((input, index) =>
        node.op === 'Resize' && index === FACTORS_INPUT ? input : half(input),
      );
      return { ...toHalf(node), inputs, outputs: node.outputs.map((output) => renamed(output, network.output)) };
    });
  const casts = [network.input, ...taken].map((name) => cast(name, `half_${name}`, float16));
  const end = cast(`half_${network.output}`, network.output, float32);
  const before = [...inside.filter(isPrepared), ...casts];
  /** Where a node comes to lie that is in the network, or the first behind it. */
  const placeOf = (at: number): number =>
    from + before.length + contents.nodes.slice(from, at).filter((node) => !isPrepared(node)).length;
  return {
    ...contents,
    nodes: [...contents.nodes.slice(0, from), ...before, ...halved, end, ...contents.nodes.slice(to)],
    regions: contents.regions.map((region) =>
      region === network ? { ...region, nodes: [from, placeOf(to) + 1] as const } : moved(region, network, placeOf),
    ),
    wires: halfWires(contents.wires, [...casts, ...halved]),
  };
}

/** A region within the network. */
function moved(region: Region, network: Region, placeOf: (at: number) => number): Region {
  const [from, to] = region.nodes;
  const input = region.input === network.input ? `half_${region.input}` : region.input;
  return {
    ...region,
    input,
    output: renamed(region.output, network.output),
    nodes: [placeOf(from), placeOf(to)] as const,
  };
}

/** What `nodes` make is in float16. */
function halfWires(wires: DeclaredGraph['wires'], nodes: readonly ProtoNode[]): ReadonlyMap<string, Wire> {
  const halved = new Map(wires);
  for (const name of nodes.flatMap(({ outputs }) => outputs)) {
    const wire = wires.get(name) ?? wires.get(name.replace(/^half_/, ''));
    if (wire) halved.set(name, { ...wire, name, type: wire.type === 'float32' ? 'float16' : wire.type });
  }
  return halved;
}

/** Weights of other types are cast to float32 where they are taken; here, to float16 at once. */
function toHalf(node: ProtoNode): ProtoNode {
  const isCast = node.op === 'Cast' && node.attributes['to'] === float32;
  return isCast ? { ...node, attributes: { to: float16 } } : node;
}

function renamed(value: string, output: string): string {
  return value === output ? `half_${output}` : value;
}

function cast(input: string, output: string, to: number): ProtoNode {
  return { op: 'Cast', domain: '', inputs: [input], outputs: [output], attributes: { to } };
}
