import type { Value } from '../value.ts';

/** NHWC, whose sides are multiples of `side`, to [N windows, side side, C]: the pixels of each window by rows. */
export function toWindows(x: Value, side: number): Value {
  const [n, h, w, c] = [x.size(0), x.size(1), x.size(2), x.size(3)];
  const cut = x.reshape([n, h / side, side, w / side, side, c]).transpose([0, 1, 3, 2, 4, 5]);
  return cut.reshape([(n * h * w) / side ** 2, side ** 2, c]);
}

/** Windows back to the NHWC of `whole`, whatever its channels. */
export function fromWindows(windows: Value, whole: Value, side: number): Value {
  const [n, h, w, c] = [whole.size(0), whole.size(1), whole.size(2), windows.size(2)];
  const cut = windows.reshape([n, h / side, w / side, side, side, c]).transpose([0, 1, 3, 2, 4, 5]);
  return cut.reshape([n, h, w, c]);
}

/** NHWC moved up and left by `by` pixels, what leaves coming back at the other side (`torch.roll` by -`by`). */
export function rolled(x: Value, by: number): Value {
  return [1, 2].reduce((y, axis) => {
    const size = y.size(axis);
    const at = ((by % size) + size) % size;
    return at === 0 ? y : y.slice(axis, at, size).concat([y.slice(axis, 0, at)], axis);
  }, x);
}

/** [windows, tokens, 3 C] to query, key, value of [windows, heads, tokens, C / heads] each. */
export function splitHeads(projected: Value, heads: number): [query: Value, key: Value, value: Value] {
  const [windows, tokens] = [projected.size(0), projected.size(1)];
  const features = projected.size(2) / 3;
  const part = (index: number): Value =>
    projected
      .slice(2, index * features, (index + 1) * features)
      .reshape([windows, tokens, heads, features / heads])
      .transpose([0, 2, 1, 3]);
  return [part(0), part(1), part(2)];
}

/** [windows, heads, tokens, d] to [windows, tokens, heads d]. */
export function joinHeads(x: Value): Value {
  const [windows, heads, tokens, width] = [x.size(0), x.size(1), x.size(2), x.size(3)];
  return x.transpose([0, 2, 1, 3]).reshape([windows, tokens, heads * width]);
}
