import { linear } from '../../../onnx/linear.ts';
import { layerNorm } from '../../../onnx/normalization.ts';
import type { AttentionInputs } from '../../../onnx/attention.ts';
import type { Value } from '../../../onnx/value.ts';
import {
  attendInWindows,
  positionBias,
  queryKeyValue,
  relativePositions,
} from '../../../onnx/windows/window-attention.ts';
import type { Weights } from '../../../onnx/weights.ts';
import { Windows } from '../../../onnx/windows/windows.ts';
import { LAYER_NORM_EPSILON, mlp } from './transformer-parts.ts';

/** The cuts and positions that blocks share: of those that are not shifted, and of those that are, by half a window. */
export interface SwinWindows {
  readonly plain: Windows;
  readonly shifted: Windows;
  /** Rows of the tables of relative positions. */
  readonly positions: Value;
  /** Whether the layers that make queries, keys and values have biases. */
  readonly hasBias: boolean;
}

/**
 * @param map [N, C, H, W], whose sides they are for
 * @param hasShifts whether those that are to be shifted are
 */
export function swinWindows(map: Value, window: number, hasBias: boolean, hasShifts = true): SwinWindows {
  const layout = { height: map.size(2), width: map.size(3), window: [window, window] } as const;
  const half = Math.floor(window / 2);
  const plain = new Windows(map.graph, layout);
  return {
    plain,
    shifted: hasShifts ? new Windows(map.graph, { ...layout, shift: [half, half] }) : plain,
    positions: relativePositions(map.graph, [window, window]),
    hasBias,
  };
}

/** Attention in windows, then an MLP, each with a norm in front and added to what went in: [N, H W, C] to the like. */
export function swinBlock(x: Value, weights: Weights, shared: SwinWindows, isShifted: boolean): Value {
  const norm = (y: Value, name: string): Value => layerNorm(y, weights.at(name), LAYER_NORM_EPSILON);
  const attention = weights.at('attn');
  const windows = isShifted ? shared.shifted : shared.plain;
  const inputs = queryKeyValue(windows.partition(norm(x, 'norm1')), attention.at('qkv'), shared);
  const y = windows.merge(swinAttention(inputs, attention, windows, shared.positions)).add(x);
  return mlp(norm(y, 'norm2'), weights.at('mlp')).add(y);
}

/**
 * Attention with a table of relative positions, through the last layer (`proj`).
 * @param inputs tokens in windows: [N windows, tokens, C], as is what comes out
 */
export function swinAttention(inputs: AttentionInputs, weights: Weights, windows: Windows, positions: Value): Value {
  const rows = (2 * Math.sqrt(windows.tokens) - 1) ** 2;
  const table = inputs.query.graph.weight(weights.take('relative_position_bias_table', [rows, null]));
  const bias = positionBias(table, positions, [windows.tokens, windows.tokens]);
  const scores = { heads: table.size(1), bias, mask: windows.mask };
  return linear(attendInWindows(inputs, scores), weights.at('proj'));
}
