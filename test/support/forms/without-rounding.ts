import type { ProtoGraph, ProtoNode } from '../../../app/onnx/model-proto.ts';
import { TO_NCHW, TO_NHWC } from '../../../app/onnx/picture-axes.ts';

/**
 * A graph of 8-bit operators with each replaced by the real arithmetic that it stands for: what is left of the difference to
 * float32 when nothing is rounded and nothing clipped. A byte q is the number q - zero point; weights are expected as floats.
 */
export function withoutRounding(graph: ProtoGraph): ProtoGraph {
  return { ...graph, domains: new Map(), nodes: graph.nodes.flatMap(realNodes) };
}

function realNodes(node: ProtoNode): ProtoNode[] {
  const [input = '', scale = ''] = node.inputs;
  const { attributes } = node;
  if (node.op === 'QuantizeLinear') return [real('Div', [input, scale], node.outputs)];
  if (node.op === 'DequantizeLinear') return [real('Mul', [input, scale], node.outputs)];
  if (node.op === 'QLinearLeakyRelu') return [real('LeakyRelu', [input], node.outputs, attributes)];
  if (node.op !== 'QLinearConv') return [node];
  const [, , , weight = '', , , outputScale = '', , bias = ''] = node.inputs;
  const { channels_last: channelsLast, ...geometry } = attributes;
  if (channelsLast !== 1) throw new Error('a convolution of another layout');
  const [name = ''] = node.outputs;
  return [
    real('Transpose', [input], [`${name}_nchw`], { perm: TO_NCHW }),
    real('Conv', [`${name}_nchw`, weight, bias], [`${name}_sums`], geometry),
    real('Transpose', [`${name}_sums`], [`${name}_nhwc`], { perm: TO_NHWC }),
    real('Div', [`${name}_nhwc`, outputScale], [name]),
  ];
}

function real(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: ProtoNode['attributes'] = {},
): ProtoNode {
  return { op, domain: '', inputs, outputs, attributes };
}
