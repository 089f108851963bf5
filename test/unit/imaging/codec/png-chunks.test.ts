import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { makeXmpChunk, readPngParts } from '../../../../app/imaging/codec/png-chunks.ts';
import { noise } from '../../../support/images/images.ts';
import type { PngChunk } from '../../../support/images/png.ts';
import { headerChunk, joinPng, pngChunk, readPngChunks, writePng } from '../../../support/images/png.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';

const image = noise({ width: 5, height: 3, channels: 3, depth: 8 });
const chunk = (type: string, text: string | Uint8Array): PngChunk => ({
  type,
  data: typeof text === 'string' ? Buffer.from(text, 'latin1') : text,
});
const whole = ({ type, data }: PngChunk) => new Uint8Array(pngChunk(type, data));

describe('Walking the chunks of a PNG', () => {
  it('reads the size and passes on only what the pixels need', () => {
    const extra = [
      chunk('gAMA', '\0\0\xb1\x8f'),
      chunk('tEXt', 'a\0b'),
      chunk('tIME', '1234567'),
      chunk('prVt', 'x'),
      chunk('bKGD', 'abcdef'),
    ];
    const parts = readPngParts(writePng(image, extra), 'a.png');
    expect([parts.width, parts.height]).toEqual([5, 3]);
    expect(readPngChunks(parts.pixels).map(({ type }) => type)).toEqual(['IHDR', 'IDAT', 'IEND']);
  });

  it('sets colour and text chunks aside byte for byte, colour first, texts in their order', () => {
    const texts = [
      chunk('zTXt', `z\0\0${deflateSync('zz').toString('latin1')}`),
      chunk('tEXt', 'parameters\0a \xfcber cat'),
      chunk('iTXt', 'i\0\0\0\0\0ü'),
    ];
    const gamma = chunk('gAMA', '\0\0\xb1\x8f');
    const parts = readPngParts(writePng(image, [...texts, gamma]), 'a.png');
    expect(parts.chunks).toEqual([gamma, ...texts].map(whole));
  });

  it('leaves out what is damaged, beside the pixels, by its checksum', () => {
    const file = Buffer.from(
      writePng(image, [chunk('tEXt', 'a\0b'), chunk('gAMA', '\0\0\xb1\x8f'), chunk('tEXt', 'c\0d')]),
    );
    for (const data of ['a\0b', '\0\0\xb1\x8f']) file.writeUInt8(7, file.indexOf(data, 0, 'latin1'));
    const parts = readPngParts(file, 'a.png');
    expect(parts.chunks).toEqual([whole(chunk('tEXt', 'c\0d'))]);
    expect([parts.leftOut, parts.warnings]).toEqual([
      ['the chunk tEXt of the file is damaged and left out'],
      ['the chunk gAMA of the file is damaged and left out'],
    ]);
  });

  it('copies nothing that comes after IEND', () => {
    const parts = readPngParts(Buffer.concat([writePng(image), Buffer.from('PK\x03\x04 secret')]), 'a.png');
    expect(Buffer.from(parts.pixels).includes('secret')).toBe(false);
  });

  it('reads profile, density, XMP and the number of frames', () => {
    const physical = Buffer.alloc(9);
    physical.writeUInt32BE(11_811, 0);
    physical.writeUInt32BE(11_811, 4);
    physical[8] = 1;
    const xmp = Buffer.from('<x:xmpmeta>ü</x:xmpmeta>');
    const profile = Buffer.concat([Buffer.from('name\0\0', 'latin1'), deflateSync(Buffer.from('a profile'))]);
    const parts = readPngParts(
      writePng(image, [
        chunk('iCCP', profile),
        chunk('pHYs', physical),
        chunk('acTL', '\0\0\0\x07\0\0\0\0'),
        chunk('iTXt', makeXmpChunk(xmp).subarray(8, -4)), // without its frame
      ]),
      'a.png',
    );
    expect(Buffer.from(parts.icc ?? []).toString()).toBe('a profile');
    expect(parts.density).toEqual({ x: expect.closeTo(300, 2), y: expect.closeTo(300, 2), unit: 'inch' });
    expect(Buffer.from(parts.xmp ?? []).equals(xmp)).toBe(true);
    expect(parts.frames).toBe(7);
  });

  it('drops a profile that inflates beyond the limit, and says so', () => {
    const bomb = Buffer.concat([Buffer.from('x\0\0', 'latin1'), deflateSync(Buffer.alloc(100 << 20))]);
    const parts = readPngParts(writePng(image, [chunk('iCCP', bomb)]), 'a.png');
    expect(parts.icc).toBeUndefined();
    expect(parts.warnings).toEqual(['ICC profile dropped: it is damaged or larger than 4194304 bytes']);
  });

  it('keeps compressed texts, but those that inflate to more than a megabyte, and spends little time on them', () => {
    const packed = (bytes: number): Buffer => deflateSync(Buffer.alloc(bytes, 'x'));
    const zTXt = (bytes: number): PngChunk => chunk('zTXt', Buffer.concat([Buffer.from('k\0\0'), packed(bytes)]));
    const iTXt = (bytes: number): PngChunk =>
      chunk('iTXt', Buffer.concat([Buffer.from('k\0\x01\0en\0\0'), packed(bytes)]));
    const good = [zTXt(1000), iTXt(500_000)];
    const bombs = [zTXt(50 << 20), iTXt(50 << 20)];
    const damaged = chunk('zTXt', Buffer.from('k\0\0not deflated'));
    const parts = readPngParts(writePng(image, [...bombs, ...good, damaged, iTXt(600_000)]), 'a.png');
    const kept = parts.chunks.map((one) => Buffer.from(one).subarray(8, -4));
    expect(kept).toEqual(good.map(({ data }) => Buffer.from(data)));
    expect(parts.leftOut).toEqual(['4 text chunks dropped: at most 200 chunks and 1048576 bytes are kept']);
    const many = writePng(
      image,
      Array.from({ length: 150 }, () => bombs[0] ?? damaged),
    );
    expect(cpuSecondsOf(() => expect(readPngParts(many, 'a.png').chunks).toEqual([]))).toBeLessThan(2);
  });

  it('keeps 200 text chunks and a megabyte of them, and says how many it dropped', () => {
    const many = readPngParts(
      writePng(
        image,
        Array.from({ length: 203 }, () => chunk('tEXt', 'k\0v')),
      ),
      'a.png',
    );
    expect(many.chunks).toHaveLength(200);
    expect(many.leftOut).toEqual(['3 text chunks dropped: at most 200 chunks and 1048576 bytes are kept']);
    const large = readPngParts(
      writePng(image, [chunk('tEXt', Buffer.alloc(1_048_576, 'x')), chunk('tEXt', 'k\0v')]),
      'a.png',
    );
    expect(large.chunks).toHaveLength(1);
  });

  it('keeps EXIF of a camera and drops EXIF of 100 KB', () => {
    const small = readPngParts(writePng(image, [chunk('eXIf', Buffer.alloc(60_000))]), 'a.png');
    expect(readPngChunks(small.pixels).map(({ type }) => type)).toContain('eXIf');
    const large = readPngParts(writePng(image, [chunk('eXIf', Buffer.alloc(100_000))]), 'a.png');
    expect(readPngChunks(large.pixels).map(({ type }) => type)).not.toContain('eXIf');
    expect(large.leftOut).toEqual(['EXIF of 100000 bytes dropped: at most 65000 are kept']);
  });

  it('refuses more than 10,000 chunks, but any number of pixel chunks', () => {
    const dots = Array.from({ length: 10_001 }, () => chunk('teST', ''));
    expect(() => readPngParts(writePng(image, dots), 'a.png')).toThrow(
      'a.png: expected a PNG with at most 10000 chunks besides its pixels, got more',
    );
    const pieces = joinPng([
      headerChunk(1, 1, 8, 0),
      ...Array.from({ length: 20_000 }, () => chunk('IDAT', '')),
      chunk('IEND', ''),
    ]);
    expect(readPngParts(pieces, 'a.png').width).toBe(1);
  });

  it('says that the file ends early wherever it is cut', () => {
    const file = writePng(image);
    for (let length = 8; length < file.length; length += 3) {
      expect(() => readPngParts(file.subarray(0, length), 'a.png')).toThrow(
        `a.png: the file ends early: ${length} bytes came`,
      );
    }
  });

  it('refuses a file whose first chunk is not the header', () => {
    expect(() => readPngParts(joinPng([chunk('IDAT', 'x'), chunk('IEND', '')]), 'a.png')).toThrow(
      'expected a PNG that starts with its IHDR chunk, got "IDAT"',
    );
  });
});
