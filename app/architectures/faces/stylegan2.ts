import { convolve } from '../../onnx/convolution.ts';
import { linear } from '../../onnx/linear.ts';
import { resizeBilinear } from '../../onnx/resize.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';

/** What leads one level of the generator: `features * scale + shift`, for all of its channels or their second half. */
export interface Condition {
  readonly scale: Value;
  readonly shift: Value;
}

/** What a convolution of the generator is given beside the features. */
interface Layer {
  /** [N, features]. */
  readonly style: Value;
  /** [1, 1, H, W]. */
  readonly noise: Value;
}

/**
 * The StyleGAN2 generator (arXiv:1912.04958) with spatial feature transforms, as GFPGAN has it: from a learned 4x4 start, two
 * modulated convolutions a level, the picture summed up from every level. Noise is what the checkpoint stored.
 * Reference: gfpgan/archs/stylegan2_clean_arch.py, StyleGAN2GeneratorCSFT in gfpganv1_clean_arch.py.
 * @param styles [N, k * features]: one style for all layers (k = 1), or one for each
 * @param conditions one a level, from 8x8 up
 */
export function styleGenerator(styles: Value, conditions: readonly Condition[], weights: Weights): Value {
  const { graph } = styles;
  const features = weights.dim('to_rgb1.modulated_conv.modulation.weight', 1);
  const isShared = styles.size(1) === features;
  const style = (index: number): Value =>
    isShared ? styles : styles.slice(1, index * features, (index + 1) * features);
  const layer = (index: number): Layer => ({
    style: style(index),
    noise: graph.weight(weights.at('noises').take(`noise${index}`)),
  });
  const start = graph.weight(weights.take('constant_input.weight'));
  let x = styledConv(start, layer(0), weights.at('style_conv1'));
  let picture = toRgb(x, style(1), weights.at('to_rgb1'));
  conditions.forEach((condition, level) => {
    const [first, second] = [2 * level, 2 * level + 1];
    const convs = weights.at('style_convs');
    x = styledConv(x, layer(first + 1), convs.at(first), 2);
    x = styledConv(lead(x, condition), layer(second + 1), convs.at(second));
    picture = resizeBilinear(picture, 2).add(toRgb(x, style(second + 2), weights.at('to_rgbs').at(level)));
  });
  return picture;
}

/** Spatial feature transform of as many of the last channels as the condition has. */
function lead(x: Value, { scale, shift }: Condition): Value {
  const [all, led] = [x.size(1), scale.size(1)];
  if (led === all) return x.multiply(scale).add(shift);
  const free = x.slice(1, 0, all - led);
  return free.concat([
    x
      .slice(1, all - led, all)
      .multiply(scale)
      .add(shift),
  ]);
}

function styledConv(x: Value, { style, noise }: Layer, weights: Weights, factor = 1): Value {
  const { graph } = x;
  const drawn = modulatedConv(x, style, weights.at('modulated_conv'), factor);
  const grain = graph.weight(weights.take('weight', [1])).multiply(noise);
  return drawn
    .add(grain)
    .add(graph.weight(weights.take('bias')))
    .leakyRelu(0.2);
}

function toRgb(x: Value, style: Value, weights: Weights): Value {
  const { graph } = x;
  const modulation = modulationOf(style, weights.at('modulated_conv.modulation'));
  const weight = kernelOf(weights.at('modulated_conv'));
  const drawn = convolve(x.multiply(modulation), { weight: graph.weight(weight) });
  return drawn.add(graph.weight(weights.take('bias')));
}

/**
 * Convolution with weights that the style scales by input channel, and that are then normalised by output channel; times
 * sqrt(2), as StyleConv has it. Input and output are scaled in place of the weights, which stay as they lie in the file:
 * conv(x, W s d) = conv(x s, W) d with d = 1 / sqrt(s^2 W2 + 1e-8), W2 the squares of W summed over the kernel.
 */
function modulatedConv(x: Value, style: Value, weights: Weights, factor: number): Value {
  const { graph } = x;
  const modulation = modulationOf(style, weights.at('modulation'));
  const kernel = graph.weight(kernelOf(weights));
  const scaled = x.multiply(modulation);
  const drawn = convolve(factor === 1 ? scaled : resizeBilinear(scaled, factor), { weight: kernel });
  const squares = kernel
    .multiply(kernel)
    .sum(2, 3)
    .reshape([kernel.size(0), kernel.size(1)]);
  const energy = modulation.multiply(modulation).reshape([modulation.size(0), kernel.size(1)]);
  const length = energy
    .matmul(squares.transpose([1, 0]))
    .add(graph.constant(1e-8))
    .sqrt();
  const gain = graph
    .constant(Math.SQRT2)
    .divide(length)
    .reshape([modulation.size(0), kernel.size(0), 1, 1]);
  return drawn.multiply(gain);
}

/** A style as one factor for each input channel: [N, C, 1, 1]. */
function modulationOf(style: Value, weights: Weights): Value {
  const factors = linear(style, weights);
  return factors.reshape([factors.size(0), factors.size(1), 1, 1]);
}

/** The kernel [1, O, I, k, k] without its first axis: the same bytes. */
function kernelOf(weights: Weights): ReturnType<Weights['take']> {
  const stored = weights.take('weight', [1, null, null, null, null]);
  return { ...stored, shape: stored.shape.slice(1) };
}
