import type { Value } from './value.ts';

/** x tanh(ln(1 + e^x)) (`nn.Mish`). */
export function mish(x: Value): Value {
  return x.multiply(tanh(softplus(x)));
}

export function tanh(x: Value): Value {
  return x.graph.node({ op: 'Tanh', inputs: [x] }, x.shape);
}

export function exp(x: Value): Value {
  return x.graph.node({ op: 'Exp', inputs: [x] }, x.shape);
}

function softplus(x: Value): Value {
  return x.graph.node({ op: 'Softplus', inputs: [x] }, x.shape);
}
