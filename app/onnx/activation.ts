import type { Value } from './value.ts';

/**
 * x tanh(ln(1 + e^x)) (`nn.Mish`), as x n / (n + 2) with n = e^x (e^x + 2): the same without a logarithm, which onnxruntime's Softplus takes
 * number by number.
 */
export function mish(x: Value): Value {
  const power = exp(x.clip(EXP_IS_NOTHING, EXP_IS_ALL));
  const two = x.graph.constant(2);
  const n = power.multiply(power.add(two));
  return x.multiply(n.divide(n.add(two)));
}

/** Up to here the quotient is 0, and from here on 1 in float32; the square of the power is still far from infinity. */
const EXP_IS_NOTHING = -80;
const EXP_IS_ALL = 20;

/** The hyperbolic tangent of every element. */
export function tanh(x: Value): Value {
  return x.graph.node({ op: 'Tanh', inputs: [x] }, x.shape);
}

/** e to the power of every element. */
export function exp(x: Value): Value {
  return x.graph.node({ op: 'Exp', inputs: [x] }, x.shape);
}
