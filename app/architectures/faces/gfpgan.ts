import { linear } from '../../onnx/linear.ts';
import { resizeBilinear } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { styleGenerator } from './stylegan2.ts';
import { hasAll } from '../state-dict-keys.ts';

/**
 * GFPGANv1Clean (arXiv:2101.04061; GFPGAN v1.2 to v1.4): a U-Net reads a face, a StyleGAN2 generator draws it again, led by the
 * U-Net's features. Takes and gives aligned faces, RGB in -1..1. The noise is the checkpoint's own, so that a face comes out the
 * same every time. Reference: gfpgan/archs/gfpganv1_clean_arch.py.
 */
export const gfpgan: Architecture = {
  name: 'GFPGAN',
  looksFor: 'GFPGANv1Clean: conv_body_first + toRGB.0 + stylegan_decoder.style_mlp.1',

  detect: hasAll('conv_body_first', 'toRGB.0', 'stylegan_decoder'),

  // Pictures of the U-Net's own, and the way from random numbers to styles: for training.
  ignores: (name) => name.startsWith('toRGB.') || name.startsWith('stylegan_decoder.style_mlp.'),

  read(weights) {
    const features = weights.dim('stylegan_decoder.style_mlp.1.weight', 0);
    const levels = weights.indices('conv_body_down').length;
    const side = 4 * 2 ** levels;
    const styles = weights.dim('final_linear.weight', 0) / features;
    const narrow = weights.dim('stylegan_decoder.constant_input.weight', 1) / 512;
    return {
      scale: 1,
      inputChannels: weights.dim('conv_body_first.weight', 1),
      outputChannels: weights.dim('stylegan_decoder.to_rgb1.bias', 1),
      parameters: {
        out_size: side,
        num_style_feat: features,
        channel_multiplier: weights.dim('stylegan_decoder.style_convs.6.modulated_conv.weight', 1) / (256 * narrow),
        num_mlp: weights.indices('stylegan_decoder.style_mlp').length,
        narrow,
        different_w: styles > 1,
        sft_half: isHalfModulated(weights),
        input_is_latent: true,
      },
      role: 'face-restorer',
      side,
      multipleOf: 1,
      halo: 0,
      workingBytesPerPixel: 2100,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

/** Whether the U-Net leads only the second half of the generator's channels. */
function isHalfModulated(weights: Weights): boolean {
  const led = weights.dim('condition_scale.0.2.weight', 0);
  return led * 2 === weights.dim('stylegan_decoder.style_convs.0.modulated_conv.weight', 1);
}

function build(image: Value, weights: Weights): Value {
  let x = image.conv(weights.at('conv_body_first')).leakyRelu(0.2);
  const skips: Value[] = [];
  for (const block of weights.list('conv_body_down')) {
    x = residualBlock(x, block, 0.5);
    skips.unshift(x);
  }
  x = x.conv(weights.at('final_conv')).leakyRelu(0.2);
  const styles = linear(x.reshape([x.size(0), x.size(1) * x.size(2) * x.size(3)]), weights.at('final_linear'));
  const conditions = weights.list('conv_body_up').map((block, level) => {
    x = residualBlock(skips[level] ? x.add(skips[level]) : x, block, 2);
    return {
      scale: condition(x, weights.at('condition_scale').at(level)),
      shift: condition(x, weights.at('condition_shift').at(level)),
    };
  });
  return styleGenerator(styles, conditions, weights.at('stylegan_decoder'));
}

function residualBlock(x: Value, weights: Weights, factor: 0.5 | 2): Value {
  const resized = resizeBilinear(x.conv(weights.at('conv1')).leakyRelu(0.2), factor);
  const skip = resizeBilinear(x, factor).conv(weights.at('skip'), { bias: false });
  return resized.conv(weights.at('conv2')).leakyRelu(0.2).add(skip);
}

function condition(x: Value, weights: Weights): Value {
  return x.conv(weights.at(0)).leakyRelu(0.2).conv(weights.at(2));
}
