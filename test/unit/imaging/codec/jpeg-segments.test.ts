import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import { readJpegParts } from '../../../../app/imaging/codec/jpeg-segments.ts';

const plain = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
  .jpeg()
  .toBuffer();
const progressive = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
  .jpeg({ progressive: true })
  .toBuffer();

function segment(marker: number, data: Buffer | string): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

const withSegments = (...segments: Buffer[]) => Buffer.concat([plain.subarray(0, 2), ...segments, plain.subarray(2)]);

describe('Walking the segments of a JPEG', () => {
  it('reads the size, and passes on a file without ballast as it is', () => {
    const parts = readJpegParts(plain, 'a.jpg');
    expect(parts).toMatchObject({ width: 40, height: 30, endsEarly: false, warnings: [] });
    expect(Buffer.from(parts.pixels).equals(plain)).toBe(true);
  });

  it.each([
    ['12 bits', 0xc1, 12, 'a JPEG of 12 bits a sample instead of 8'],
    ['16 bits, lossless', 0xc3, 16, 'a JPEG of 16 bits a sample instead of 8'],
    ['steps', 0xc5, 8, 'a hierarchical JPEG'],
  ])('refuses by its name what the decoder calls damaged: %s', (_what, marker, bits, kind) => {
    const file = Buffer.from(plain);
    const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
    file.set([marker], frame + 1);
    file.set([bits], frame + 4);
    expect(() => readJpegParts(file, 'a.jpg')).toThrow(`got ${kind}; convert it first`);
  });

  it('drops comments and segments that no picture needs', () => {
    const kept = [
      segment(0xe1, 'Exif\0\0II*\0'),
      segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<x/>'),
      segment(0xe2, 'ICC_PROFILE\0\x01\x01abc'),
      segment(0xee, 'Adobe\0\x64\0\0\0\0\0'),
    ];
    const dropped = [
      segment(0xfe, 'comment'),
      segment(0xed, 'Photoshop 3.0'),
      segment(0xe2, 'MPF\0'),
      segment(0xe1, 'Exif\0\0second'),
      segment(0xe3, Buffer.alloc(60_000)),
    ];
    const parts = readJpegParts(withSegments(...kept, ...dropped), 'a.jpg');
    expect(Buffer.from(parts.pixels).equals(withSegments(...kept))).toBe(true);
  });

  it('drops a profile above the limit, and says so once', () => {
    const piece = segment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x02', 'latin1'), Buffer.alloc(65_000)]));
    const parts = readJpegParts(withSegments(...Array.from({ length: 70 }, () => piece)), 'a.jpg');
    expect(parts.warnings).toEqual(['ICC profile dropped: it is larger than 4194304 bytes']);
  });

  it.each([
    [1, 300, 300],
    [2, 118, 299.72],
    [0, 1, undefined],
  ])('reads a JFIF density of unit %d, %d as %p per inch', (unit, value, expected) => {
    const jfif = Buffer.from('JFIF\0\x01\x01\0\0\0\0\0\0\0', 'latin1');
    jfif[7] = unit;
    jfif.writeUInt16BE(value, 8);
    jfif.writeUInt16BE(value, 10);
    const file = Buffer.concat([plain.subarray(0, 2), segment(0xe0, jfif), plain.subarray(2)]);
    expect(readJpegParts(file, 'a.jpg').density?.x).toEqual(expected);
  });

  it('accepts fill bytes between segments', () => {
    const filled = Buffer.concat([plain.subarray(0, 2), Buffer.from([0xff, 0xff]), plain.subarray(2)]);
    expect(readJpegParts(filled, 'a.jpg').width).toBe(40);
  });

  it.each([
    ['in front of a segment', 2],
    ['in front of the pixels', plain.indexOf(Buffer.from([0xff, 0xda]))],
  ])('steps over stray bytes %s, and says so once', (_where, at) => {
    const stray = Buffer.concat([plain.subarray(0, at), Buffer.from('\0\0\xff\0junk', 'latin1'), plain.subarray(at)]);
    const parts = readJpegParts(stray, 'a.jpg');
    expect(Buffer.from(parts.pixels).equals(plain)).toBe(true);
    expect(parts.warnings).toEqual(['stray bytes between the segments of the file are left out']);
  });

  it('notices a missing end marker, of a progressive file too', () => {
    expect(readJpegParts(plain.subarray(0, -2), 'a.jpg').endsEarly).toBe(true);
    expect(readJpegParts(progressive, 'a.jpg').endsEarly).toBe(false);
    expect(readJpegParts(progressive.subarray(0, -2), 'a.jpg').endsEarly).toBe(true);
  });

  it('says that the file ends early where it is cut before the pixels', () => {
    const start = plain.indexOf(Buffer.from([0xff, 0xda]));
    for (let length = 3; length < start; length += 7) {
      expect(() => readJpegParts(plain.subarray(0, length), 'a.jpg')).toThrow('a.jpg: the file ends early');
    }
  });

  it('refuses what is no segment, pixels without a size, and a hundred scans too many', () => {
    const broken = Buffer.concat([plain.subarray(0, 2), Buffer.alloc(5000), plain.subarray(2)]);
    expect(() => readJpegParts(broken, 'a.jpg')).toThrow('a.jpg: the JPEG is damaged: expected a segment at byte');
    expect(() => readJpegParts(Buffer.concat([plain.subarray(0, 2), segment(0xda, 'scan')]), 'a.jpg')).toThrow(
      'frame header',
    );
    const scan = segment(0xda, '\x01\x01\0\0\x3f\0');
    const endless = Buffer.concat([progressive.subarray(0, -2), ...Array.from({ length: 101 }, () => scan)]);
    expect(() => readJpegParts(endless, 'a.jpg')).toThrow('a.jpg: expected a JPEG of at most 100 scans, got more');
  });
});
