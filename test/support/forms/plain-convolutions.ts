import type { Attribute, ProtoGraph, ProtoNode } from '../../../app/onnx/model-proto.ts';
import { TO_NCHW, TO_NHWC } from '../../../app/onnx/picture-axes.ts';
import { INTERNAL_DOMAIN } from '../../../app/rewriting/channels-last-operators.ts';

/**
 * A graph with each convolution of the internal domain replaced by what it stands for: a plain one between two changes of layout.
 * Weights that come in, into the graph or a loop's body, have their input channels last; constant ones have not.
 */
export function plainConvolutions(graph: ProtoGraph): ProtoGraph {
  const domains = new Map([...graph.domains].filter(([domain]) => domain !== INTERNAL_DOMAIN));
  const given = new Set(graph.inputs.map(({ name }) => name));
  return { ...graph, domains, nodes: graph.nodes.flatMap((node) => plainNodes(node, given)) };
}

function plainNodes(node: ProtoNode, given: ReadonlySet<string>): ProtoNode[] {
  const { op, domain, outputs, attributes } = node;
  if (domain !== INTERNAL_DOMAIN) return [{ ...node, attributes: inBodies(attributes) }];
  const [picture = '', weights = '', ...bias] = node.inputs;
  const [name = ''] = outputs;
  const transposed = (input: string, output: string, perm: readonly number[]): ProtoNode => {
    return { op: 'Transpose', domain: '', inputs: [input], outputs: [output], attributes: { perm } };
  };
  const isGiven = given.has(weights);
  const ordered = isGiven ? `${name}_weights` : weights;
  return [
    transposed(picture, `${name}_in`, TO_NCHW),
    ...(isGiven ? [transposed(weights, ordered, TO_NCHW)] : []),
    { op, domain: '', inputs: [`${name}_in`, ordered, ...bias], outputs: [`${name}_out`], attributes },
    transposed(`${name}_out`, name, TO_NHWC),
  ];
}

function inBodies(attributes: ProtoNode['attributes']): ProtoNode['attributes'] {
  const plain = (value: Attribute): Attribute => {
    if (typeof value !== 'object' || !('body' in value)) return value;
    const { body } = value;
    const given = new Set([...body.inputs.map(({ name }) => name), ...body.nodes.flatMap(({ outputs }) => outputs)]);
    return { body: { ...body, nodes: body.nodes.flatMap((node) => plainNodes(node, given)) } };
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}
