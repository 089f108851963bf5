import { describe, expect, it } from '@jest/globals';
import type { ProtoNode } from '../../../app/onnx/model-proto.ts';
import { StackedOperand } from '../../../app/rewriting/stacked-operand.ts';

const ROWS = ['first', 'second'];
const uses = (op: string): ProtoNode[] => [
  { op, domain: '', inputs: ['picture', 'first'], outputs: ['made'], attributes: {} },
];
const stacked = (shape: readonly number[], type: 'float16' | 'float32', op = 'Conv'): StackedOperand =>
  new StackedOperand(ROWS, { name: 'first', type, shape }, uses(op), 'stack_');
const operators = (nodes: readonly ProtoNode[]): string[] => nodes.map(({ op }) => op);

describe('A stack of what differs from block to block', () => {
  it('is handed on as it is where each row begins as cuDNN wants it', () => {
    const operand = stacked([64, 32, 3, 3], 'float16');
    expect(operators(operand.stacking)).toEqual(['Unsqueeze', 'Unsqueeze', 'Concat']);
    expect(operand.part).toMatchObject({ type: 'float16', shape: [64, 32, 3, 3], name: operand.name });
    expect(operand.unpacking).toEqual([]);
  });

  it('has rows that begin at multiples of 16 bytes where a convolution takes them', () => {
    const operand = stacked([36, 1, 3, 3], 'float16'); // 648 bytes
    expect(operators(operand.stacking)).toEqual(['Unsqueeze', 'Unsqueeze', 'Concat', 'Reshape', 'Pad']);
    expect(operand.part.shape).toEqual([328]); // 656 bytes
    expect(operators(operand.unpacking)).toEqual(['Slice', 'Reshape']);
    expect(stacked([36, 1, 3, 3], 'float32').unpacking).toEqual([]); // 1296 bytes
    expect(stacked([3], 'float32').part.shape).toEqual([4]);
  });

  it('is handed on as it is to operators that take memory as it comes', () => {
    expect(stacked([36, 1, 3, 3], 'float16', 'MatMul').unpacking).toEqual([]);
  });
});
