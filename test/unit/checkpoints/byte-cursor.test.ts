import { describe, expect, it } from '@jest/globals';
import { ByteCursor } from '../../../app/checkpoints/byte-cursor.ts';
import { refusalOf } from './refusal.ts';

/** A source of 1 MB that counts what is read from it. */
function source() {
  const bytes = Buffer.alloc(1 << 20, 'abcdefg\n');
  const reads: number[] = [];
  const read = (offset: number, length: number) => {
    reads.push(length);
    return bytes.subarray(offset, offset + length);
  };
  return { bytes, reads, read };
}

describe('ByteCursor', () => {
  it('reads every kind of number forward, across the borders of its chunks', () => {
    const { bytes, read } = source();
    const cursor = new ByteCursor(read, 1, bytes.length);
    let at = 1;
    while (at < 300_000) {
      expect(cursor.uint8()).toBe(bytes.readUInt8(at));
      expect(cursor.uint16()).toBe(bytes.readUInt16LE(at + 1));
      expect(cursor.uint32()).toBe(bytes.readUInt32LE(at + 3));
      expect(cursor.int32()).toBe(bytes.readInt32LE(at + 7));
      expect(cursor.uint64()).toBe(bytes.readBigUInt64LE(at + 11));
      expect(cursor.float64BigEndian()).toBe(bytes.readDoubleBE(at + 19));
      expect(cursor.bytes(9999).equals(bytes.subarray(at + 27, at + 27 + 9999))).toBe(true);
      at += 27 + 9999;
      expect(cursor.position).toBe(at);
    }
  });

  it('reads no more of a large source than a chunk ahead', () => {
    const { bytes, reads, read } = source();
    const cursor = new ByteCursor(read, 0, bytes.length);
    for (let i = 0; i < 1000; i++) cursor.uint8();
    expect(reads).toEqual([64 * 1024]);
  });

  it('stops at its end, whatever length the bytes announce', () => {
    const { reads, read } = source();
    const cursor = new ByteCursor(read, 0, 10);
    expect(refusalOf(() => cursor.bytes(11)).kind).toBe('truncated');
    expect(refusalOf(() => cursor.bytes(0xffffffff)).kind).toBe('truncated');
    expect(reads).toEqual([]);
    expect(cursor.bytes(10).length).toBe(10);
    expect(refusalOf(() => cursor.uint8()).kind).toBe('truncated');
  });

  it('reads lines, and tells where none ends within the limit', () => {
    const { read } = source();
    const cursor = new ByteCursor(read, 2, 20);
    expect(cursor.line(100)).toBe('cdefg');
    expect(cursor.line(8)).toBe('abcdefg');
    expect(cursor.line(7)).toBeUndefined();
    expect(cursor.line(100)).toBeUndefined();
  });
});
