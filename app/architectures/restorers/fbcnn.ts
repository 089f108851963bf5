import { linear } from '../../onnx/linear.ts';
import { globalAveragePool } from '../../onnx/pooling.ts';
import { tanh } from '../../onnx/activation.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { cropTo, padToMultiple } from '../padding.ts';
import { hasAll } from '../state-dict-keys.ts';
import {
  decoderLevel,
  encoderLevel,
  residualBlocks,
  residualBranch,
  samplingModes,
  UNET_FIELD,
  UNET_MULTIPLE,
  unetWidths,
} from './residual-unet.ts';

/** `quality` where nobody says: the network finds it out. */
const FIND_OUT = -1;

/**
 * FBCNN (arXiv:2109.14573) takes JPEG artefacts off: a U-Net of residual blocks, whose decoder is steered by the JPEG quality, as
 * the network sees it or as `quality` says (0 to 100). Reference: jiaxi-jiang/FBCNN, network_fbcnn.py.
 */
export const fbcnn: Architecture = {
  name: 'FBCNN',
  looksFor: 'FBCNN: m_head.weight + m_body_encoder.0.res.0 + qf_pred.0.res.0',

  detect: hasAll('m_body_encoder.0.res', 'qf_pred'),

  read(weights) {
    const widths = unetWidths(weights, 'm_body_encoder');
    const [inputs, outputs] = [weights.dim('m_head.weight', 1), weights.dim('m_tail.weight', 0)];
    return {
      scale: 1,
      inputChannels: inputs,
      outputChannels: outputs,
      parameters: {
        in_nc: inputs,
        out_nc: outputs,
        nc: widths,
        nb: weights.list('m_body_encoder').length,
        ...samplingModes(weights),
      },
      multipleOf: UNET_MULTIPLE,
      padding: 'own',
      sides: 'fixed',
      halo: UNET_FIELD,
      tiling: 'whole-image-preferred',
      scalars: { quality: FIND_OUT },
      workingBytesPerPixel: 4 * LIVE_TENSORS * (widths[0] ?? 0),
      build: (image, { quality }: NamedValues) => build(image, weights, quality),
    } satisfies Network;
  },
};

/** Feature maps at full size that a run takes memory for. */
const LIVE_TENSORS = 10;

function build(image: Value, weights: Weights, quality: Value | undefined): Value {
  const first = padToMultiple(image, UNET_MULTIPLE, 'edge').conv(weights.at('m_head'));
  const second = encoderLevel(first, weights, 'm_down1', {});
  const third = encoderLevel(second, weights, 'm_down2', {});
  const fourth = encoderLevel(third, weights, 'm_down3', {});
  const encoded = residualBlocks(fourth, weights.list('m_body_encoder'), {});
  const embedded = embedding(lossOf(encoded, weights, quality), weights.at('qf_embed'));
  const up = (x: Value, level: 1 | 2 | 3): Value => steeredLevel(x, weights, level, embedded);
  const lowest = residualBlocks(encoded, weights.list('m_body_decoder'), {}).add(fourth);
  const raised = up(up(up(lowest, 3).add(third), 2).add(second), 1);
  return cropTo(raised.add(first).conv(weights.at('m_tail')), image.size(2), image.size(3));
}

/** [N, 1]: how much JPEG took, from 0 (quality 100) to 1, as the network sees it or as `quality` says. */
function lossOf(encoded: Value, weights: Weights, quality: Value | undefined): Value {
  const blocks = weights.list('m_body_encoder').length;
  const layers = weights.at('qf_pred');
  const seen = residualBlocks(
    encoded,
    Array.from({ length: blocks }, (_, i) => layers.at(i)),
    {},
  );
  const mean = globalAveragePool(seen).squeeze(3).squeeze(2);
  const [first, second, third] = [2, 4, 6].map((offset) => layers.at(blocks + offset)) as [Weights, Weights, Weights];
  const found = linear(linear(linear(mean, first).relu(), second).relu(), third).sigmoid();
  if (!quality) return found;
  // 1 where a quality is given, 0 where it is -1.
  const isGiven = quality.add(quality.graph.constant(1)).clip(0, 1);
  const given = quality.graph.constant(1).subtract(quality.scale(1 / 100));
  return found.add(isGiven.multiply(given.subtract(found)));
}

function embedding(loss: Value, weights: Weights): Value {
  return [0, 2, 4].reduce((x, index) => linear(x, weights.at(index)).relu(), loss);
}

/** A level of the decoder, in whose blocks the embedded quality scales and shifts what is added. */
function steeredLevel(x: Value, weights: Weights, level: 1 | 2 | 3, embedded: Value): Value {
  const perChannel = (value: Value): Value => value.unsqueeze(2).unsqueeze(3);
  const gamma = perChannel(linear(embedded, weights.at(`to_gamma_${level}`).at(0)).sigmoid());
  const beta = perChannel(tanh(linear(embedded, weights.at(`to_beta_${level}`).at(0))));
  return decoderLevel(x, { weights, key: `m_up${level}`, bias: {} }, (y, block) =>
    residualBranch(y, block, {}).multiply(gamma).add(beta).add(y),
  );
}
