import type { DeclaredGraph, Region } from '../onnx/graph.ts';
import type { ProtoNode } from '../onnx/model-proto.ts';
import type { LayoutContext } from './channels-last-operators.ts';
import { channelsLastConv, channelsLastForm, INTERNAL_DOMAIN, isChannelsLastConv } from './channels-last-operators.ts';
import { ConstantValues } from './constant-values.ts';
import { Layouts } from './layouts.ts';

/** With more changes of layout than this for each convolution, the graph is better off as it was. */
const MAX_CHANGES_PER_CONVOLUTION = 0.5;

/**
 * The graph with its convolutions, and what stands between them, for pictures with channels last: convolutions of onnxruntime's
 * internal domain, which its CUDA provider alone runs, and a `Transpose` only where an operator has no such form. Weights stay as they
 * are. A graph that would change its layout too often is left as it is.
 * @param maxChanges how often it may, for each such convolution
 */
export function channelsLastGraph(graph: DeclaredGraph, maxChanges = MAX_CHANGES_PER_CONVOLUTION): DeclaredGraph {
  return new LayoutRewriter(graph).rewrite(maxChanges);
}

class LayoutRewriter {
  readonly #graph: DeclaredGraph;
  readonly #constants: ConstantValues;
  readonly #layouts: Layouts;
  readonly #context: LayoutContext;
  readonly #regions = new Map<Region, Region>();

  constructor(graph: DeclaredGraph) {
    this.#graph = graph;
    this.#constants = new ConstantValues(graph);
    this.#layouts = new Layouts(graph);
    const initializers = new Map(graph.initializers.map((one) => [one.name, one]));
    this.#context = { layouts: this.#layouts, constant: (name) => initializers.get(name ?? '') };
  }

  rewrite(maxChanges: number): DeclaredGraph {
    this.#graph.nodes.forEach((node, index) => {
      for (const region of this.#graph.regions) if (region.nodes[0] === index) this.#enter(region);
      this.#write(node);
      for (const region of this.#graph.regions) if (region.nodes[1] === index + 1) this.#leave(region);
    });
    const { nodes, initializers, wires } = this.#layouts;
    const convolutions = nodes.filter(({ domain }) => domain === INTERNAL_DOMAIN).length;
    const changes = this.#changesIn(nodes) - this.#changesIn(this.#graph.nodes);
    if (convolutions === 0 || changes > maxChanges * convolutions) return this.#graph;
    return {
      ...this.#graph,
      domains: new Map([...this.#graph.domains, [INTERNAL_DOMAIN, this.#graph.opset]]),
      nodes,
      initializers: [...this.#graph.initializers, ...initializers],
      regions: [...this.#regions.values()],
      wires,
    };
  }

  #changesIn(nodes: readonly ProtoNode[]): number {
    const isChange = ({ op, inputs: [input = ''] }: ProtoNode) => op === 'Transpose' && !this.#constants.has(input);
    return nodes.filter(isChange).length;
  }

  /** A block that convolves gets its input as the one before gives it, so that the first is like the others. */
  #enter(region: Region): void {
    const { input, kind, nodes } = region;
    const inside = this.#graph.nodes.slice(...nodes);
    const convolves = inside.some((node) => isChannelsLastConv(node, this.#layouts));
    const isLast = kind === 'block' && convolves && this.#layouts.isPicture(input);
    const name = isLast ? this.#layouts.last(input) : this.#layouts.asItIs(input);
    const from = this.#layouts.nodes.length;
    this.#regions.set(region, { ...region, input: name, nodes: [from, from] });
  }

  #leave(region: Region): void {
    const entered = this.#regions.get(region);
    if (!entered) return;
    const nodes = [entered.nodes[0], this.#layouts.nodes.length] as const;
    this.#regions.set(region, { ...entered, output: this.#layouts.asItIs(region.output), nodes });
  }

  #write(node: ProtoNode): void {
    const layouts = this.#layouts;
    const [output = ''] = node.outputs;
    if (!this.#constants.isMadeBy(node)) {
      if (layouts.absorb(node)) return;
      const form = this.#lastForm(node);
      if (form) {
        layouts.nodes.push({ ...form, outputs: [layouts.declareLast(output)] });
        return;
      }
    }
    const inputs = node.inputs.map((name) => (name === '' ? name : this.#operand(node, name)));
    layouts.declarePlain(node.outputs);
    layouts.nodes.push({ ...node, inputs });
  }

  #lastForm(node: ProtoNode) {
    const [output = ''] = node.outputs;
    if (!this.#layouts.isPicture(output)) return undefined;
    if (isChannelsLastConv(node, this.#layouts)) return channelsLastConv(node, this.#layouts);
    const isLast = node.inputs.some((name) => this.#layouts.isOnlyLast(name));
    return isLast ? channelsLastForm(node, this.#context) : undefined;
  }

  /** What goes over all of a picture does so in any order. */
  #operand({ op, inputs, attributes }: ProtoNode, name: string): string {
    const isOverAll = op === 'ReduceMax' && inputs.length === 1 && attributes['keepdims'] === 0;
    return isOverAll ? this.#layouts.asItIs(name) : this.#layouts.plain(name);
  }
}
