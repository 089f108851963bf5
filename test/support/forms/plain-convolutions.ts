import type { Attribute, ProtoGraph, ProtoNode } from '../../../app/onnx/model-proto.ts';
import { INTERNAL_DOMAIN } from '../../../app/rewriting/channels-last-operators.ts';

const [TO_NHWC, TO_NCHW] = [
  [0, 2, 3, 1],
  [0, 3, 1, 2],
];

/** A graph with each convolution of the internal domain replaced by what it stands for: a plain one between two changes of layout. */
export function plainConvolutions(graph: ProtoGraph): ProtoGraph {
  const domains = new Map([...graph.domains].filter(([domain]) => domain !== INTERNAL_DOMAIN));
  return { ...graph, domains, nodes: graph.nodes.flatMap(plainNodes) };
}

function plainNodes(node: ProtoNode): ProtoNode[] {
  const { op, domain, outputs, attributes } = node;
  if (domain !== INTERNAL_DOMAIN) return [{ ...node, attributes: inBodies(attributes) }];
  const [picture = '', ...weights] = node.inputs;
  const [name = ''] = outputs;
  const transposed = (input: string, output: string, perm: readonly number[]): ProtoNode => {
    return { op: 'Transpose', domain: '', inputs: [input], outputs: [output], attributes: { perm } };
  };
  return [
    transposed(picture, `${name}_in`, TO_NCHW),
    { op, domain: '', inputs: [`${name}_in`, ...weights], outputs: [`${name}_out`], attributes },
    transposed(`${name}_out`, name, TO_NHWC),
  ];
}

function inBodies(attributes: ProtoNode['attributes']): ProtoNode['attributes'] {
  const plain = (value: Attribute): Attribute =>
    typeof value === 'object' && 'body' in value
      ? { body: { ...value.body, nodes: value.body.nodes.flatMap(plainNodes) } }
      : value;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}
