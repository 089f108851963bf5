import type { Value } from './value.ts';

/** [N, C, H, W] to [N, H W, C]: pixels as tokens, row by row. */
export function toTokens(map: Value): Value {
  const [n, c, h, w] = [map.size(0), map.size(1), map.size(2), map.size(3)];
  return map.transpose([0, 2, 3, 1]).reshape([n, h * w, c]);
}

/** [N, H W, C] to [N, C, H, W], of a map with the sides of `like`. */
export function toMap(tokens: Value, like: Value): Value {
  const [n, c] = [tokens.size(0), tokens.size(2)];
  return tokens.reshape([n, like.size(2), like.size(3), c]).transpose([0, 3, 1, 2]);
}
