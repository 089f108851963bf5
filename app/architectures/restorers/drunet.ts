import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, NamedValues, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';
import { NOISE_LEVEL, withNoiseMap } from './noise-map.ts';
import type { Bias } from './residual-unet.ts';
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

const BIAS: Bias = { bias: false };

/**
 * DRUNet (DPIR, arXiv:2008.13751): a U-Net of residual blocks without biases, which is told how much noise there is.
 * Reference: cszn/DPIR, network_unet.py (UNetRes).
 */
export const drunet: Architecture = {
  name: 'DRUNet',
  looksFor: 'DRUNet: m_head.weight + m_down1.0.res.0 + m_body.0.res.0 + m_up1.2.res.0',

  detect: hasAll('m_down1.0.res', 'm_body.0.res'),

  read(weights) {
    const [inputs, outputs] = [weights.dim('m_head.weight', 1), weights.dim('m_tail.weight', 0)];
    const widths = unetWidths(weights, 'm_body');
    return {
      scale: 1,
      inputChannels: inputs - 1,
      outputChannels: outputs,
      parameters: {
        in_nc: inputs,
        out_nc: outputs,
        nc: widths,
        nb: weights.list('m_body').length,
        ...samplingModes(weights),
      },
      multipleOf: UNET_MULTIPLE,
      halo: UNET_FIELD,
      scalars: { sigma: NOISE_LEVEL },
      workingBytesPerPixel: 4 * LIVE_TENSORS * (widths[0] ?? 0),
      build: (image, { sigma }: NamedValues) => build(withNoiseMap(image, sigma), weights),
    } satisfies Network;
  },
};

/** Feature maps at full size that a run takes memory for. */
const LIVE_TENSORS = 10;

function build(image: Value, weights: Weights): Value {
  const first = image.conv(weights.at('m_head'), BIAS);
  const second = encoderLevel(first, weights, 'm_down1', BIAS);
  const third = encoderLevel(second, weights, 'm_down2', BIAS);
  const fourth = encoderLevel(third, weights, 'm_down3', BIAS);
  const up = (x: Value, key: string): Value =>
    decoderLevel(x, { weights, key, bias: BIAS }, (y, block) => residualBranch(y, block, BIAS).add(y));
  const lowest = residualBlocks(fourth, weights.list('m_body'), BIAS).add(fourth);
  const raised = up(up(up(lowest, 'm_up3').add(third), 'm_up2').add(second), 'm_up1');
  return raised.add(first).conv(weights.at('m_tail'), BIAS);
}
