import type { ProtoGraph } from '../onnx/model-proto.ts';
import { serializeModel } from '../onnx/model-proto.ts';
import { GraphEditor } from './graph-editor.ts';

const [SIDE, CHANNELS] = [8, 64];
const LARGEST = 127;
/** What every output of the middle is, in bytes from the zero point. */
const EXPECTED = 100;

/**
 * A convolution of the largest weights over the largest bytes: `pixels`, uint8 [1, 8, 8, 64], to `sums` [1, 8, 8, 64]. CPUs
 * without dot products of 8-bit integers (VNNI) add products in pairs, and cut them off at 16 bits.
 */
export const PAIR_SUM_PROBE = {
  model: (): Uint8Array => serializeModel(probe()),
  pixels: { type: 'uint8', data: new Uint8Array(SIDE * SIDE * CHANNELS).fill(255), dims: [1, SIDE, SIDE, CHANNELS] },
  /** Whether sums came out as they should, or cut off. */
  isExact: (sums: Uint8Array): boolean => sums[((SIDE * SIDE) / 2 + SIDE / 2) * CHANNELS] === 128 + EXPECTED,
} as const;

function probe(): ProtoGraph {
  const editor = new GraphEditor();
  const [one, zero] = [editor.float(1), editor.byte(128)];
  const taps = CHANNELS * 9;
  const weight = editor.given({
    name: 'weight',
    type: 'int8',
    shape: [CHANNELS, CHANNELS, 3, 3],
    data: new Uint8Array(CHANNELS * taps).fill(LARGEST),
  });
  const step = editor.float((taps * LARGEST * LARGEST) / EXPECTED);
  const inputs = ['pixels', one, zero, weight, one, editor.signedByte(0), step, zero];
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], channels_last: 1 };
  editor.node('QLinearConv', inputs, attributes, { domain: 'com.microsoft', output: 'sums' });
  const shape = [1, SIDE, SIDE, CHANNELS];
  const pixels = { name: 'pixels', type: 'uint8', shape } as const;
  const sums = { name: 'sums', type: 'uint8', shape } as const;
  const empty = { opset: 20, domains: new Map(), inputs: [pixels], outputs: [sums], nodes: [], initializers: [] };
  return editor.spliced(empty, [0, 0]);
}
