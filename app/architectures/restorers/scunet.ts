import { chain, counted } from '../../onnx/chain.ts';
import { convTranspose } from '../../onnx/convolution.ts';
import { linear } from '../../onnx/linear.ts';
import { fromWindows, rolled, toWindows } from '../../onnx/windows/local-windows.ts';
import { attendInWindows, queryKeyValue } from '../../onnx/windows/window-attention.ts';
import { layerNorm } from '../../onnx/normalization.ts';
import type { Value } from '../../onnx/value.ts';
import type { Weights } from '../../onnx/weights.ts';
import type { Architecture, Network } from '../architecture.ts';
import { hasAll } from '../state-dict-keys.ts';

/** Side of the windows, and features of a head; neither is in the file. */
const WINDOW = 8;
const HEAD = 32;
const TOKENS = WINDOW ** 2;
const NO_BIAS = { bias: false } as const;
const EPSILON = 1e-5;
/** To a softmax as good as minus infinity. */
const HIDDEN = -1e9;

/**
 * SCUNet (arXiv:2203.13278): a U-Net, half of whose channels go through a residual block of convolutions and half through attention in
 * (shifted) windows: blind denoising of real photographs. Reference: cszn/SCUNet, network_scunet.py.
 */
export const scunet: Architecture = {
  name: 'SCUNet',
  looksFor: 'SCUNet: m_head.0.weight + m_down1.0.trans_block.msa + m_body.0.trans_block + m_tail.0.weight',

  detect: hasAll('m_down1.0.trans_block', 'm_body.0.trans_block'),

  read(weights) {
    const [dim, inputs] = [weights.dim('m_head.0.weight', 0), weights.dim('m_head.0.weight', 1)];
    const blocks = (key: string): number =>
      weights.indices(key).filter((i) => weights.has(`${key}.${i}.trans_block`)).length;
    const levels = ['m_down1', 'm_down2', 'm_down3', 'm_body', 'm_up3', 'm_up2', 'm_up1'];
    return {
      scale: 1,
      inputChannels: inputs,
      outputChannels: weights.dim('m_tail.0.weight', 0),
      parameters: { in_nc: inputs, config: levels.map(blocks), dim },
      multipleOf: 64,
      sides: 'fixed',
      halo: 64,
      workingBytesPerPixel: 4 * LIVE_TENSORS * dim,
      build: (image) => build(image, weights),
    } satisfies Network;
  },
};

/** Feature maps at full size that a run takes memory for, as measured on 128 x 128 and 256 x 256 pixels. */
const LIVE_TENSORS = 57;

function build(image: Value, weights: Weights): Value {
  const level = (x: Value, key: string, from: number, count: number): Value =>
    chain(
      x,
      counted(count, (i) => weights.at(key).at(from + i)),
      (y, part, i) => block(y, part, i % 2 === 1),
    );
  const down = (x: Value, key: string): Value => {
    const count = weights.indices(key).filter((index) => weights.has(`${key}.${index}.trans_block`)).length;
    return level(x, key, 0, count).conv(weights.at(key).at(count), { stride: 2, padding: 0, ...NO_BIAS });
  };
  const up = (x: Value, key: string): Value =>
    level(convTranspose(x, weights.at(key).at(0), { stride: 2, ...NO_BIAS }), key, 1, weights.indices(key).at(-1) ?? 0);

  const first = image.conv(weights.at('m_head').at(0), NO_BIAS);
  const second = down(first, 'm_down1');
  const third = down(second, 'm_down2');
  const fourth = down(third, 'm_down3');
  const lowest = level(fourth, 'm_body', 0, weights.list('m_body').length);
  const raised = up(up(up(lowest.add(fourth), 'm_up3').add(third), 'm_up2').add(second), 'm_up1');
  return raised.add(first).conv(weights.at('m_tail').at(0), NO_BIAS);
}

/** Half of the channels by convolutions, half by attention. */
function block(x: Value, weights: Weights, isShifted: boolean): Value {
  const mixed = x.conv(weights.at('conv1_1'));
  const half = mixed.size(1) / 2;
  const convs = weights.at('conv_block');
  const near = mixed.slice(1, 0, half);
  const local = near.conv(convs.at(0), NO_BIAS).relu().conv(convs.at(2), NO_BIAS).add(near);
  const tokens = mixed.slice(1, half, 2 * half).transpose([0, 2, 3, 1]);
  const seen = transformer(tokens, weights.at('trans_block'), isShifted).transpose([0, 3, 1, 2]);
  return local.concat([seen]).conv(weights.at('conv1_2')).add(x);
}

function transformer(x: Value, weights: Weights, isShifted: boolean): Value {
  const y = windowAttention(layerNorm(x, weights.at('ln1'), EPSILON), weights.at('msa'), isShifted).add(x);
  const mlp = weights.at('mlp');
  return linear(linear(layerNorm(y, weights.at('ln2'), EPSILON), mlp.at(0)).gelu(), mlp.at(2)).add(y);
}

/** NHWC; shifted windows hide from one another what only the roll brought together. */
function windowAttention(x: Value, weights: Weights, isShifted: boolean): Value {
  const heads = x.size(3) / HEAD;
  const moved = isShifted ? rolled(x, WINDOW / 2) : x;
  const inputs = queryKeyValue(toWindows(moved, WINDOW), weights.at('embedding_layer'));
  const scores = { heads, bias: positionBias(x, weights, heads), mask: isShifted ? seamMask(x) : undefined };
  const mixed = fromWindows(linear(attendInWindows(inputs, scores), weights.at('linear')), x, WINDOW);
  return isShifted ? rolled(mixed, -WINDOW / 2) : mixed;
}

/** [heads, tokens, tokens]: what a head adds for the distance of two pixels of a window. */
function positionBias({ graph }: Value, weights: Weights, heads: number): Value {
  const span = 2 * WINDOW - 1;
  const table = graph.weight(weights.take('relative_position_params', [heads, span, span])).reshape([heads, span ** 2]);
  const index = pairs((y, x, otherY, otherX) => (y - otherY + WINDOW - 1) * span + x - otherX + WINDOW - 1);
  return table.gather(1, index).reshape([heads, TOKENS, TOKENS]);
}

/**
 * Windows of the last row and column hold pixels from both ends of the picture, which do not see one another: what is added to their scores,
 * [windows, tokens, tokens].
 */
function seamMask(x: Value): Value {
  const { graph } = x;
  const [rows, columns] = [x.size(1) / WINDOW, x.size(2) / WINDOW];
  const isLast = (count: number): number[] => Array.from({ length: count }, (_, i) => Number(i === count - 1));
  const half = WINDOW / 2;
  const apart = (a: number, b: number): number => (a < half === b < half ? 0 : HIDDEN);
  const byRow = pairs((y, _, otherY) => apart(y, otherY));
  const byColumn = pairs((_, column, __, other) => apart(column, other));
  const below = graph.constant(isLast(rows), [rows, 1, 1, 1]).multiply(graph.constant(byRow, [1, 1, TOKENS, TOKENS]));
  const right = graph
    .constant(isLast(columns), [columns, 1, 1])
    .multiply(graph.constant(byColumn, [1, TOKENS, TOKENS]));
  return below.add(right).reshape([rows * columns, TOKENS, TOKENS]);
}

/** A number for every pair of pixels of a window, row by row. */
function pairs(number: (y: number, x: number, otherY: number, otherX: number) => number): number[] {
  const places = Array.from({ length: TOKENS }, (_, i) => [Math.floor(i / WINDOW), i % WINDOW] as const);
  return places.flatMap(([y, x]) => places.map(([otherY, otherX]) => number(y, x, otherY, otherX)));
}
