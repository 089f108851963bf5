import { chain, counted } from '../../onnx/chain.ts';
import { mish } from '../../onnx/activation.ts';
import { largeKernelConv } from '../../onnx/large-kernels.ts';
import { groupNorm, layerNorm2d } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { UnknownNetworkError } from '../errors.ts';
import { dySample } from './dysample.ts';

/** Of GroupNorm in RealPLKSR; not in the file. */
const NORM = { groups: 4, epsilon: 1e-5 } as const;
const COLORS = 3;

/**
 * The sparse kernels of the reference's constructor. How far apart their pixels lie is not in a file; one with kernels of other sizes
 * was trained with other distances too.
 */
const SPARSE = { kernels: [5, 5, 5, 5], dilations: [1, 2, 3, 4] } as const;

/** Of the reference's constructor, which sparse kernels do not tell. */
const UNTOLD_KERNEL = 17;

/** What keys and shapes say of the blocks, all of which are alike. */
interface Trunk {
  readonly isReal: boolean;
  /** How many blocks there are. */
  readonly count: number;
  readonly scale: number;
  /** The last convolution. */
  readonly last: Weights;
}

/**
 * PLKSR (arXiv:2404.11848): in every block a large kernel sees a part of the channels, the rest pass it by. RealPLKSR (neosr) has
 * Mish, a norm, and may end in DySample. Reference: spandrel's PLKSR/__arch.
 */
export const plksr: Architecture = {
  name: 'PLKSR',
  looksFor: 'PLKSR: feats.0.weight + feats.1.channe_mixer.0 or feats.1.channel_mixer.0 (RealPLKSR) + feats.1.lk',

  detect: (weights) =>
    weights.has('feats.0') &&
    (weights.has('feats.1.channe_mixer.0') || weights.has('feats.1.channel_mixer.0') || weights.has('feats.1.lk')),

  read(weights) {
    const trunk = trunkOf(weights);
    const dim = weights.dim('feats.0.weight', 0);
    const first = weights.at('feats').at(1);
    const isNormed = trunk.isReal && !first.has('layer_norm');
    const hasDySample = weights.has('to_img');
    return {
      scale: trunk.scale,
      inputChannels: COLORS,
      outputChannels: COLORS,
      parameters: trunk.isReal ? realParameters(weights, trunk, dim) : plainParameters(weights, trunk, dim),
      multipleOf: 1,
      halo: EFFECTIVE_FIELD,
      ...(isNormed && { tiling: 'whole-image-preferred' as const }),
      ...((isNormed || hasDySample) && { sides: 'fixed' as const }),
      workingBytesPerPixel: 4 * (LIVE_TENSORS * dim + 5 * COLORS * trunk.scale ** 2),
      build: (image) => build(image, weights, trunk),
    } satisfies Network;
  },
};

/** A block reaches 11 pixels, 28 of them 300; what is further away than this changed a tile by one level of 255 at most (three at 32). */
const EFFECTIVE_FIELD = 48;

/** Feature maps that are alive at once: the mixer has twice the channels. */
const LIVE_TENSORS = 11;

function build(image: Value, weights: Weights, { isReal, count, scale, last }: Trunk): Value {
  const feats = weights.at('feats');
  const blocks = counted(count, (index) => feats.at(index + 1));
  const features = chain(image.conv(feats.at(0)), blocks, isReal ? realBlock : plainBlock);
  const repeats = scale ** 2;
  const order = Array.from({ length: COLORS * repeats }, (_, i) => Math.floor(i / repeats));
  const folded = features.conv(last).add(image.gather(1, order));
  return weights.has('to_img') ? dySample(folded, weights.at('to_img'), scale) : folded.pixelShuffle(scale);
}

function plainBlock(x: Value, weights: Weights): Value {
  const mixer = weights.at('channe_mixer');
  const mixed = x.conv(mixer.at(0)).gelu().conv(mixer.at(2));
  return refined(largeKernel(mixed, weights.at('lk')), weights).add(x);
}

function realBlock(x: Value, weights: Weights): Value {
  const mixer = weights.at('channel_mixer');
  const hasLayerNorm = weights.has('layer_norm');
  const normed = hasLayerNorm ? layerNorm2d(x, weights.at('layer_norm'), 1e-6) : x;
  const mixed = mish(normed.conv(mixer.at(0))).conv(mixer.at(2));
  const y = refined(largeKernel(mixed, weights.at('lk')), weights);
  return (hasLayerNorm ? y : groupNorm(y, weights.at('norm'), NORM)).add(x);
}

/** The partial large kernel: the first channels through it, the others as they are. */
function largeKernel(x: Value, weights: Weights): Value {
  const kernels = kernelsOf(weights);
  const seen = weights.dim(`${kernels[0]?.name ?? 'conv'}.weight`, 0);
  const part = seen === x.size(1) ? x : x.slice(1, 0, seen);
  const [y, ...others] = kernels.map(({ name, dilation }) =>
    name === 'conv' ? largeKernelConv(part, weights.at(name)) : part.conv(weights.at(name), { dilation }),
  );
  const sum = others.reduce<Value | undefined>((a, b) => a?.add(b), y) ?? part;
  return seen === x.size(1) ? sum : sum.concat([x.slice(1, seen, x.size(1))]);
}

/** The convolutions whose sum is a large kernel. */
function kernelsOf(weights: Weights): readonly { readonly name: string; readonly dilation: number }[] {
  if (weights.has('mn_conv')) return ['mn_conv', 'nm_conv', 'nn_conv'].map((name) => ({ name, dilation: 1 }));
  if (!weights.has('convs')) return [{ name: 'conv', dilation: 1 }];
  return weights.indices('convs').map((index) => ({ name: `convs.${index}`, dilation: SPARSE.dilations[index] ?? 1 }));
}

/** Element-wise attention, where the file has it, and a 1x1 convolution. */
function refined(x: Value, weights: Weights): Value {
  const attended = weights.has('attn') ? x.multiply(x.conv(weights.at('attn.f').at(0)).sigmoid()) : x;
  return attended.conv(weights.at('refine'));
}

function trunkOf(weights: Weights): Trunk {
  const parts = weights.indices('feats');
  const end = parts.at(-1) ?? 0;
  const isReal = weights.has('feats.1.channel_mixer') || weights.has('feats.1.norm');
  const count = end - (isReal ? 2 : 1); // before RealPLKSR's last convolution stands a Dropout
  const last = weights.dim(`feats.${end}.weight`, 0);
  const scale = Math.sqrt(last / COLORS);
  if (!Number.isInteger(scale)) throw new UnknownNetworkError(`a head of ${last} channels is no pixel shuffle of 3`);
  assertSparseKernels(weights.at('feats.1.lk'));
  return { isReal, count, scale, last: weights.at('feats').at(end) };
}

/** One more than the reference's own is its largest kernel, whose pixels lie side by side. */
function assertSparseKernels(weights: Weights): void {
  const sizes = weights.indices('convs').map((index) => weights.dim(`convs.${index}.weight`, 2));
  const usual = SPARSE.kernels.length;
  if (sizes.length === 0) return;
  if (sizes.slice(0, usual).join() === SPARSE.kernels.join() && sizes.length <= usual + 1) return;
  throw new UnknownNetworkError(
    `PLKSR of sparse kernels of ${sizes.join(', ')} pixels: how far apart those lie is not in the file, and known of ${SPARSE.kernels.join(', ')} alone`,
  );
}

function realParameters(weights: Weights, { count, scale }: Trunk, dim: number): Network['parameters'] {
  return {
    dim,
    n_blocks: count,
    upscaling_factor: scale,
    kernel_size: weights.dim('feats.1.lk.conv.weight', 2),
    split_ratio: weights.dim('feats.1.lk.conv.weight', 0) / dim,
    use_ea: weights.has('feats.1.attn'),
    norm_groups: NORM.groups,
    dysample: weights.has('to_img'),
    layer_norm: weights.has('feats.1.layer_norm'),
  };
}

function plainParameters(weights: Weights, { count, scale }: Trunk, dim: number): Network['parameters'] {
  const mixed = [0, 2].map((index) => weights.dim(`feats.1.channe_mixer.${index}.weight`, 2));
  const mixers: Readonly<Record<string, string>> = { '3,1': 'CCM', '3,3': 'DCCM', '1,3': 'ICCM' };
  const lk = weights.at('feats.1.lk');
  const kernels = kernelsOf(lk);
  const first = kernels[0]?.name ?? 'conv';
  const isSparse = lk.has('convs');
  const largest = lk.indices('convs')[SPARSE.kernels.length];
  const widest = isSparse ? `convs.${largest}` : first;
  const kernelSize = isSparse && largest === undefined ? UNTOLD_KERNEL : lk.dim(`${widest}.weight`, 2);
  return {
    dim,
    n_blocks: count,
    upscaling_factor: scale,
    ccm_type: mixers[mixed.join()] ?? null,
    kernel_size: kernelSize,
    split_ratio: lk.dim(`${first}.weight`, 0) / dim,
    lk_type: isSparse ? 'SparsePLK' : first === 'conv' ? 'PLK' : 'RectSparsePLK',
    use_max_kernel: largest !== undefined,
    sparse_kernels: SPARSE.kernels,
    sparse_dilations: SPARSE.dilations,
    with_idt: false,
    use_ea: weights.has('feats.1.attn'),
  };
}
