import { chain, counted } from '../../onnx/chain.ts';
import { batchNorm } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { hasAll, isBatchNormCounter } from '../state-dict-keys.ts';
import { NOISE_LEVEL, withNoiseMap } from './noise-map.ts';

/**
 * DnCNN (arXiv:1608.03981): plain convolutions that find the noise, which is taken off the picture. FDnCNN is told how much noise
 * there is, and gives the picture. Reference: cszn/KAIR, network_dncnn.py.
 */
export const dncnn: Architecture = {
  name: 'DnCNN',
  looksFor: 'DnCNN: model.0.weight, model.2.weight ... with nothing but ReLU and BatchNorm between',

  detect: (weights) =>
    hasAll('model.0', 'model.2')(weights) &&
    !weights.has('model.1') &&
    (weights.has('model.6') || weights.has('model.3.running_mean')),
  ignores: isBatchNormCounter,

  read(weights) {
    const last = weights.indices('model').at(-1) ?? 0;
    const isNormed = weights.has('model.3');
    const inputs = weights.dim('model.0.weight', 1);
    const outputs = weights.dim(`model.${last}.weight`, 0);
    const takesNoise = inputs !== outputs;
    const count = Math.floor((last - 2) / (isNormed ? 3 : 2)) + 2;
    const features = weights.dim('model.0.weight', 0);
    return {
      scale: 1,
      inputChannels: takesNoise ? inputs - 1 : inputs,
      outputChannels: outputs,
      parameters: { in_nc: inputs, out_nc: outputs, nc: features, nb: count },
      multipleOf: 1,
      halo: count, // one pixel for every 3x3 convolution: the whole receptive field, so tiles are exact
      ...(takesNoise && { scalars: { sigma: NOISE_LEVEL } }),
      workingBytesPerPixel: 4 * 4 * features,
      build: (image, { sigma }: NamedValues) => {
        const seen = takesNoise ? withNoiseMap(image, sigma) : image;
        const answer = convolutions(seen, weights, { last, isNormed });
        return takesNoise ? answer : image.subtract(answer);
      },
    } satisfies Network;
  },
};

/** Not PyTorch's own. */
const EPSILON = 1e-4;

function convolutions(image: Value, weights: Weights, { last, isNormed }: { last: number; isNormed: boolean }): Value {
  const layers = weights.at('model');
  const step = isNormed ? 3 : 2;
  const middle = counted(Math.ceil((last - 2) / step), (i) => 2 + step * i);
  const deep = chain(image.conv(layers.at(0)).relu(), middle, (x, index) => {
    const y = x.conv(layers.at(index));
    return (isNormed ? batchNorm(y, layers.at(index + 1), EPSILON) : y).relu();
  });
  return deep.conv(layers.at(last));
}
