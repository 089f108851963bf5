import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProtobufWriter } from '../../../app/onnx/protobuf.ts';
import { readFields } from '../../support/networks/onnx-model.ts';

const hex = (writer: ProtobufWriter): string => Buffer.from(writer.finish()).toString('hex');

describe('ProtobufWriter', () => {
  // The examples of https://protobuf.dev/programming-guides/encoding
  it('writes what the format describes', () => {
    expect(hex(new ProtobufWriter().varint(1, 150))).toBe('089601');
    expect(hex(new ProtobufWriter().string(2, 'testing'))).toBe('120774657374696e67');
    expect(hex(new ProtobufWriter().message(3, (inner) => inner.varint(1, 150)))).toBe('1a03089601');
    expect(hex(new ProtobufWriter().float(1, 25.4))).toBe('0d3333cb41');
  });

  it('writes minus one in ten bytes', () => {
    expect(hex(new ProtobufWriter().varint(8, -1))).toBe('40ffffffffffffffffff01');
  });

  it('writes every integer that a number holds exactly', () => {
    const edges = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 67_040_989 * 100, Number.MAX_SAFE_INTEGER];
    const values = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges, ...edges.map((value) => -value)));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 28 }), values, (number, value) => {
        const [field, ...others] = readFields(new ProtobufWriter().varint(number, value).finish());
        expect(others).toEqual([]);
        expect([field?.number, field && BigInt.asIntN(64, field.varint)]).toEqual([number, BigInt(value)]);
      }),
    );
  });

  it.each([0.5, NaN, Infinity, 2 ** 53])('refuses %d as an integer', (value) => {
    expect(() => new ProtobufWriter().varint(1, value)).toThrow(RangeError);
  });

  it('keeps fields of any length in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 }), (parts) => {
        const writer = new ProtobufWriter();
        for (const part of parts) writer.message(2, (inner) => inner.bytes(1, part));
        const read = readFields(writer.finish()).map(({ bytes }) => readFields(bytes)[0]?.bytes);
        expect(read.map((bytes) => [...(bytes ?? [])])).toEqual(parts.map((part) => [...part]));
      }),
    );
  });

  it('writes text as UTF-8', () => {
    expect(hex(new ProtobufWriter().string(1, 'größe'))).toBe('0a076772c3b6c39f65');
  });
});
