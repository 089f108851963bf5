import { convolve } from '../convolution.ts';
import { inConvLayout } from '../pooling.ts';
import type { Value } from '../value.ts';
import type { Weights } from '../weights.ts';

/** What a picture's sides are multiplied by. */
const FACTOR = 2;

/**
 * The pixel shuffle by 2 of a 1x1 convolution without a bias (`weight` [4 C, I, 1, 1]), and `skip` [N, C, 2 H, 2 W] added to it. On the CPU it is, where sides are known,
 * done with channels last, where it moves runs of 2 C numbers on all threads; onnxruntime's DepthToSpace moves one after the other on one.
 */
export function shuffledConv(x: Value, weights: Weights, skip: Value): Value {
  const [n = null, , h = null, w = null] = x.shape;
  if (x.graph.target === 'gpu' || n === null || h === null || w === null) {
    return inConvLayout(x.conv(weights, { bias: false }).pixelShuffle(FACTOR)).add(skip);
  }
  const [inputs, channels] = [x.size(1), skip.size(1)];
  const own = x.graph.weight(weights.take('weight', [channels * FACTOR ** 2, inputs, 1, 1]));
  const byPlace = own.reshape([channels, FACTOR ** 2, inputs]).transpose([1, 0, 2]);
  const weight = byPlace.reshape([channels * FACTOR ** 2, inputs, 1, 1]);
  const rows = convolve(x, { weight })
    .transpose([0, 2, 3, 1])
    .reshape([n * h, w, FACTOR, FACTOR * channels]);
  const shuffled = rows.transpose([0, 2, 1, 3]).reshape([n, FACTOR * h, FACTOR * w, channels]);
  return unchanged(shuffled.transpose([0, 3, 1, 2])).add(skip);
}

/** A map as a convolution gives it, which then adds to another what it gives. */
function unchanged(x: Value): Value {
  const channels = x.size(1);
  const weight = x.graph.constant(new Array<number>(channels).fill(1), [channels, 1, 1, 1]);
  return convolve(x, { weight }, { groups: channels });
}
