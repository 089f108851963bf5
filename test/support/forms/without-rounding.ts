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
  if (node.op === 'QLinearLeakyRelu') return realLeakyRelu(node);
  if (node.op === 'MatMulIntegerToFloat') return realProduct(node);
  if (node.op !== 'QLinearConv') return [node];
  const [, , , weight = '', , , outputScale = '', outputZero = '', bias = ''] = node.inputs;
  const { channels_last: channelsLast, ...geometry } = attributes;
  if (channelsLast !== 1) throw new Error('a convolution of another layout');
  const [name = ''] = node.outputs;
  return [
    real('Transpose', [input], [`${name}_nchw`], { perm: TO_NCHW }),
    real('Conv', [`${name}_nchw`, weight, bias], [`${name}_sums`], geometry),
    real('Transpose', [`${name}_sums`], [`${name}_nhwc`], { perm: TO_NHWC }),
    real('Div', [`${name}_nhwc`, outputScale], [`${name}_scaled`]),
    // Bytes from zero hold nothing below it.
    real(outputZero === 'int8_byte_0' ? 'Relu' : 'Identity', [`${name}_scaled`], [name]),
  ];
}

/** Steps of another size come out. */
function realLeakyRelu({
  inputs: [input = '', scale = '', , outputScale = ''],
  outputs: [name = ''],
  attributes,
}: ProtoNode): ProtoNode[] {
  return [
    real('LeakyRelu', [input], [`${name}_steps`], attributes),
    real('Mul', [`${name}_steps`, scale], [`${name}_numbers`]),
    real('Div', [`${name}_numbers`, outputScale], [name]),
  ];
}

function realProduct({
  inputs: [pixels = '', weight = '', , , , , bias = ''],
  outputs: [name = ''],
}: ProtoNode): ProtoNode[] {
  return [real('MatMul', [pixels, weight], [`${name}_product`]), real('Add', [`${name}_product`, bias], [name])];
}

function real(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: ProtoNode['attributes'] = {},
): ProtoNode {
  return { op, domain: '', inputs, outputs, attributes };
}
