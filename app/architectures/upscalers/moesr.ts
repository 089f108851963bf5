import { chain } from '../../onnx/chain.ts';
import { mish } from '../../onnx/activation.ts';
import { depthwiseConv } from '../../onnx/convolution.ts';
import { layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';
import { upsampled, upsampleHeadOf } from './meta-upsample.ts';

/**
 * MoESR: gated convolutional blocks (as MoSR's), each group of which ends in a few at half the size.
 * Reference: umzi2/MoESR.
 */
export const moesr: Architecture = {
  name: 'MoESR',
  looksFor: 'MoESR: in_to_dim.weight + blocks.0.blocks.0.gamma + upscale.MetaUpsample',

  detect: hasAll('in_to_dim', 'blocks.0.blocks.0', 'upscale.MetaUpsample'),

  read(weights) {
    const [dim, inputs] = [weights.dim('in_to_dim.weight', 0), weights.dim('in_to_dim.weight', 1)];
    const head = upsampleHeadOf(weights.at('upscale'));
    const expansion = (block: string): number =>
      weights.dim(`${block}.fc1.weight`, 0) / weights.dim(`${block}.fc1.weight`, 1) / 2;
    return {
      scale: head.scale,
      inputChannels: inputs,
      outputChannels: head.outputs,
      parameters: {
        in_ch: inputs,
        out_ch: head.outputs,
        scale: head.scale,
        dim,
        n_blocks: weights.list('blocks').length,
        n_block: weights.list('blocks.0.blocks').length,
        expansion_factor: expansion('blocks.0.blocks.0'),
        expansion_msg: expansion('blocks.0.msg.gated.0'),
        upsampler: head.kind,
        upsample_dim: head.middle,
      },
      multipleOf: 2,
      ...(head.kind === 'dysample' && { sides: 'fixed' as const }),
      halo: EFFECTIVE_FIELD,
      workingBytesPerPixel: 4 * (LIVE_TENSORS * dim + 5 * head.outputs * head.scale ** 2),
      build: (image) => {
        const shallow = image.conv(weights.at('in_to_dim'));
        const deep = chain(shallow, weights.list('blocks'), group).add(shallow);
        return upsampled(deep, weights.at('upscale'), head);
      },
    } satisfies Network;
  },
};

/** A block reaches 7 pixels, and those of half size 14; what is further away than this is little beside what is near. */
const EFFECTIVE_FIELD = 48;

/** Feature maps that are alive at once. */
const LIVE_TENSORS = 47;

function group(x: Value, weights: Weights): Value {
  const local = chain(x, weights.list('blocks'), gatedBlock);
  const guide = weights.at('msg');
  const small = local.conv(guide.at('down').at(0)).pixelUnshuffle(2).leakyRelu(0.1);
  const seen = chain(small, guide.list('gated'), gatedBlock);
  return seen.conv(guide.at('up').at(0)).pixelShuffle(2).leakyRelu(0.1).add(local);
}

function gatedBlock(x: Value, weights: Weights): Value {
  const spread = layerNorm2d(x, weights.at('norm'), 1e-6).conv(weights.at('fc1'));
  const hidden = spread.size(1) / 2;
  const seen = x.size(1);
  const gate = mish(spread.slice(1, 0, hidden));
  const local = inception(spread.slice(1, 2 * hidden - seen, 2 * hidden), weights.at('conv'));
  const mixed = seen < hidden ? spread.slice(1, hidden, 2 * hidden - seen).concat([local]) : local;
  const gamma = x.graph.weight(weights.take('gamma', [1, x.size(1), 1, 1]));
  return mish(gate.multiply(mixed).conv(weights.at('fc2')))
    .multiply(gamma)
    .add(x);
}

/** Depthwise kernels of three shapes on an eighth of the channels each (InceptionNeXt); the others as they are. */
function inception(x: Value, weights: Weights): Value {
  const width = Math.floor(x.size(1) / 8);
  const rest = x.size(1) - 3 * width;
  const branches = ['dwconv_hw', 'dwconv_w', 'dwconv_h'].map((name, index) => {
    const from = rest + index * width;
    return depthwiseConv(x.slice(1, from, from + width), weights.at(name));
  });
  return x.slice(1, 0, rest).concat(branches);
}
