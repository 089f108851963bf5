import { chain } from '../../onnx/chain.ts';
import { tanh } from '../../onnx/activation.ts';
import { transposedAttention } from '../../onnx/channel-attention.ts';
import type { ConvOptions } from '../../onnx/convolution.ts';
import { convolve, depthwiseConv } from '../../onnx/convolution.ts';
import { gatedFeedForward } from '../../onnx/feed-forward.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';
import { pixelShuffleHead } from './pixel-shuffles.ts';

/** Side of the patches within which channels are compared; not in the file. */
const PATCH = 8;
const COLORS = 3;

type Bias = Pick<ConvOptions, 'bias'>;

/**
 * DITN (arXiv:2308.02794), the real variant: layers that attend within patches, then layers of large depthwise kernels, and tanh in
 * place of norms. Reference: yongliuy/DITN, DITN_Real_arch.py.
 */
export const ditn: Architecture = {
  name: 'DITN',
  looksFor: 'DITN: sft.weight + UFONE.0.ITLs.0.attn.temperature + conv_after_body + upsample.0',

  detect: hasAll('sft', 'UFONE.0.ITLs.0'),

  read(weights) {
    const [dim, inputs] = [weights.dim('sft.weight', 0), weights.dim('sft.weight', 1)];
    const { factor } = pixelShuffleHead(weights, 'upsample.0.weight', COLORS);
    const bias: Bias = weights.has('UFONE.0.ITLs.0.attn.project_out.bias') ? {} : { bias: false };
    const layers = weights.list('UFONE.0.SALs').length;
    return {
      scale: factor,
      inputChannels: inputs,
      outputChannels: COLORS,
      parameters: {
        inp_channels: inputs,
        dim,
        ITL_blocks: weights.list('UFONE.0.ITLs').length,
        SAL_blocks: layers,
        UFONE_blocks: weights.list('UFONE').length,
        ffn_expansion_factor: weights.dim('UFONE.0.ITLs.0.ffn.project_in.weight', 0) / 2 / dim,
        upscale: factor,
      },
      multipleOf: PATCH,
      sides: 'fixed',
      halo: Math.min(EFFECTIVE_FIELD, layers * 12 + 4 + PATCH),
      workingBytesPerPixel: 4 * (LIVE_TENSORS * dim + 5 * COLORS * factor ** 2),
      build: (image) => build(image, weights, { bias, scale: factor }),
    } satisfies Network;
  },
};

/** A layer of large kernels reaches 12 pixels, four of them with patches between about this. */
const EFFECTIVE_FIELD = 64;

/** Feature maps that are alive at once. */
const LIVE_TENSORS = 33;

function build(image: Value, weights: Weights, { bias, scale }: { bias: Bias; scale: number }): Value {
  const shallow = image.conv(weights.at('sft'));
  const deep = chain(shallow, weights.list('UFONE'), (x, stage) => {
    const patched = chain(toPatches(x), stage.list('ITLs'), (y, layer) => patchLayer(y, layer, bias));
    return chain(fromPatches(patched, x), stage.list('SALs'), (y, layer) => spatialLayer(y, layer, bias));
  });
  const features = deep.conv(weights.at('conv_after_body')).add(shallow);
  return features.conv(weights.at('upsample').at(0)).pixelShuffle(scale);
}

function patchLayer(x: Value, weights: Weights, bias: Bias): Value {
  const y = x.add(patchAttention(tanh(x).conv(weights.at('conv1')), weights.at('attn'), bias));
  return y.add(gatedFeedForward(tanh(y).conv(weights.at('conv2')), weights.at('ffn'), bias));
}

function patchAttention(x: Value, weights: Weights, bias: Bias): Value {
  const features = x.size(1);
  const { graph } = x;
  const weight = graph
    .weight(weights.take('qkv.weight', [3 * features, features]))
    .unsqueeze(2)
    .unsqueeze(3);
  const maps = convolve(x, { weight, bias: graph.weight(weights.take('qkv.bias', [3 * features])) });
  const part = (index: number): Value => maps.slice(1, index * features, (index + 1) * features);
  const attended = transposedAttention({ query: part(0), key: part(1), value: part(2) }, weights);
  return attended.conv(weights.at('project_out'), bias);
}

function spatialLayer(x: Value, weights: Weights, bias: Bias): Value {
  const y = x.add(largeKernels(tanh(x).conv(weights.at('conv1')), weights.at('SDA')));
  return y.add(gatedFeedForward(tanh(y).conv(weights.at('conv2')), weights.at('ffn'), bias));
}

/** Half of the channels weighs the other by what two depthwise kernels, the second dilated, see around each pixel. */
function largeKernels(x: Value, weights: Weights): Value {
  const features = x.size(1);
  const spread = x.conv(weights.at('proj_first').at(0));
  const near = depthwiseConv(spread.slice(1, 0, features), weights.at('DConvs').at(0));
  const attention = depthwiseConv(near, weights.at('DConvs').at(1), { dilation: 3 }).conv(weights.at('DConvs').at(2));
  const mixed = spread
    .slice(1, features, 2 * features)
    .multiply(attention)
    .conv(weights.at('proj_last').at(0));
  return mixed.multiply(x.graph.weight(weights.take('scale', [1, features, 1, 1])));
}

/** [N, C, H, W] to [N patches, C, 8, 8]: each patch is a picture of its own. */
function toPatches(x: Value): Value {
  const [n, channels, rows, columns] = [x.size(0), x.size(1), x.size(2) / PATCH, x.size(3) / PATCH];
  const cut = x.reshape([n, channels, rows, PATCH, columns, PATCH]).transpose([0, 2, 4, 1, 3, 5]);
  return cut.reshape([n * rows * columns, channels, PATCH, PATCH]);
}

/** Back to the shape of `whole`. */
function fromPatches(x: Value, whole: Value): Value {
  const [n, channels, height, width] = [0, 1, 2, 3].map((axis) => whole.size(axis)) as [number, number, number, number];
  const cut = x.reshape([n, height / PATCH, width / PATCH, channels, PATCH, PATCH]).transpose([0, 3, 1, 4, 2, 5]);
  return cut.reshape([n, channels, height, width]);
}
