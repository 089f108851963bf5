import { describe, expect, it } from '@jest/globals';
import {
  exifBody,
  exifOfTiffFile,
  hasUserComment,
  resetOrientation,
  withUserComment,
} from '../../../../../app/imaging/codec/exif/exif.ts';
import type { Entry, TiffStructure } from '../../../../../app/imaging/codec/exif/exif-tree.ts';
import {
  BIG,
  CLASSIC,
  openTiff,
  openTiffFile,
  readDirectory,
  TAG,
  writeDirectory,
  writeTiff,
} from '../../../../../app/imaging/codec/exif/exif-tree.ts';

const ascii = (tag: number, text: string): Entry => ({
  tag,
  type: 2,
  count: text.length + 1,
  value: Buffer.from(`${text}\0`),
});
const short = (tag: number, value: number): Entry => ({
  tag,
  type: 3,
  count: 1,
  value: Uint8Array.of(value & 255, value >> 8),
});
const rational = (tag: number, ...parts: number[]): Entry => {
  const value = Buffer.alloc(parts.length * 4);
  parts.forEach((part, i) => value.writeUInt32LE(part, i * 4));
  return { tag, type: 5, count: parts.length / 2, value };
};
const pointer = (tag: number, ...child: Entry[]): Entry => ({
  tag,
  type: 4,
  count: 1,
  value: new Uint8Array(4),
  child,
});

const camera = [
  ascii(0x010f, 'Maker'),
  short(TAG.orientation, 6),
  pointer(TAG.exif, rational(0x829a, 1, 125), short(0x8827, 400)),
  pointer(TAG.gps, ascii(1, 'N'), rational(2, 48, 1, 51, 1, 3025, 100)),
];

/** Tags and values, deep, without what depends on places. */
function summary(bytes: Uint8Array, open: (bytes: Uint8Array) => TiffStructure | undefined = openTiff): unknown {
  const tiff = open(bytes);
  const plain = (entries: readonly Entry[]): unknown =>
    entries.map(({ tag, type, value, child }) => [
      tag,
      type,
      child ? plain(child) : Buffer.from(value).toString('hex'),
    ]);
  return tiff && plain(readDirectory(tiff, tiff.firstDirectory));
}

const intel = (directory: readonly Entry[]) =>
  Buffer.concat([
    Buffer.from('II*\0\x08\0\0\0', 'latin1'),
    writeDirectory(directory, { offset: 8, isIntel: true, layout: CLASSIC }),
  ]);

/** A BigTIFF of either byte order. */
const big = (directory: readonly Entry[], isIntel: boolean) => {
  const header = isIntel ? 'II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0' : 'MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10';
  return Buffer.concat([
    Buffer.from(header, 'latin1'),
    writeDirectory(directory, { offset: 16, isIntel, layout: BIG }),
  ]);
};

describe('TIFF structures', () => {
  it('are the same read in either byte order', () => {
    expect(summary(writeTiff(camera))).toEqual(summary(intel(camera)));
    expect(summary(writeTiff(camera))).toMatchObject([
      [0x010f, 2, Buffer.from('Maker\0').toString('hex')],
      [0x0112, 3, '0600'],
      {},
      {},
    ]);
  });

  it('sort their entries and place values on even bytes', () => {
    const bytes = intel([ascii(0x8298, 'odd length!'), ascii(0x010e, 'ab')]);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect([view.getUint16(10, true), view.getUint16(22, true)]).toEqual([0x010e, 0x8298]);
    expect(view.getUint32(30, true) % 2).toBe(0);
  });

  it('leave out what lies outside the file, and directories that point to themselves', () => {
    const bytes = intel([ascii(0x010e, 'a long description')]);
    bytes.writeUInt32LE(0x7fffffff, 18);
    expect(summary(bytes)).toEqual([]);
    const loop = intel([pointer(TAG.exif, short(0x8827, 1))]);
    loop.writeUInt32LE(8, 18);
    expect(JSON.stringify(summary(loop)).length).toBeLessThan(200);
    expect(
      readDirectory(
        {
          view: new DataView(loop.buffer, loop.byteOffset, loop.length),
          isIntel: true,
          layout: CLASSIC,
          firstDirectory: 0xffff_fff0,
        },
        0xffff_fff0,
      ),
    ).toEqual([]);
  });

  it('do not add up to more than EXIF may be, however often a value is used', () => {
    const value = Buffer.alloc(30_000, 'x');
    const entries = Array.from({ length: 10 }, (_, i) => ({ tag: 300 + i, type: 7, count: value.length, value }));
    const tiff = openTiff(writeTiff(entries));
    expect(tiff && readDirectory(tiff, tiff.firstDirectory)).toHaveLength(2);
  });
});

describe('EXIF', () => {
  it('is found with and without its prefix, and only where there is a TIFF structure', () => {
    const exif = writeTiff(camera);
    expect(exifBody(Buffer.concat([Buffer.from('Exif\0\0'), exif]))).toEqual(Uint8Array.from(exif));
    expect(exifBody(exif)).toEqual(Uint8Array.from(exif));
    expect(exifBody(Buffer.from('Exif\0\0nothing of the kind'))).toBeUndefined();
  });

  it.each([
    ['big-endian', writeTiff(camera)],
    ['Intel', intel(camera)],
  ])('says upright afterwards, and changes nothing else (%s)', (_, exif) => {
    const reset = resetOrientation(exif);
    expect(summary(reset)).toEqual(
      summary(writeTiff(camera.map((entry) => (entry.tag === TAG.orientation ? short(TAG.orientation, 1) : entry)))),
    );
    expect([...reset].filter((byte, i) => byte !== exif[i])).toHaveLength(1);
  });

  it('loses the thumbnail of a picture that was turned, and keeps that of an upright one', () => {
    const withThumbnail = (orientation: number) => {
      const bytes = intel([short(TAG.orientation, orientation)]);
      bytes.writeUInt32LE(8, 22); // the directory after the first
      return bytes;
    };
    expect(Buffer.from(resetOrientation(withThumbnail(8))).readUInt32LE(22)).toBe(0);
    expect(Buffer.from(resetOrientation(withThumbnail(1))).readUInt32LE(22)).toBe(8);
  });

  it('takes a user comment in UTF-16, big-endian, beside what it has', () => {
    expect(hasUserComment(writeTiff(camera))).toBe(false);
    const commented = withUserComment(writeTiff(camera), 'Größe 😀');
    expect(hasUserComment(commented)).toBe(true);
    const tiff = openTiff(commented);
    const entries = tiff ? readDirectory(tiff, tiff.firstDirectory) : [];
    expect(entries.map(({ tag }) => tag)).toEqual([0x010f, 0x0112, TAG.exif, TAG.gps]);
    const comment = entries.flatMap(({ child }) => child ?? []).find(({ tag }) => tag === TAG.userComment);
    expect(
      Buffer.from(comment?.value.subarray(8) ?? [])
        .swap16()
        .toString('utf16le'),
    ).toBe('Größe 😀');
    expect(hasUserComment(withUserComment(undefined, 'x'))).toBe(true);
  });

  it('of a TIFF file is what describes the picture, not how it is stored', () => {
    const file = intel([
      short(256, 70),
      short(257, 30),
      short(TAG.orientation, 6),
      ascii(0x0110, 'Model'),
      pointer(TAG.gps, ascii(1, 'N')),
    ]);
    expect(summary(exifOfTiffFile(file) ?? new Uint8Array())).toEqual(
      summary(writeTiff([ascii(0x0110, 'Model'), pointer(TAG.gps, ascii(1, 'N'))])),
    );
    expect(exifOfTiffFile(intel([short(256, 70)]))).toBeUndefined();
  });

  it.each([true, false])('of a BigTIFF is the same, Intel %s, with places of 8 bytes and of 4', (isIntel) => {
    const file = big(camera, isIntel);
    const expected = summary(writeTiff(camera.filter(({ tag }) => tag !== TAG.orientation)));
    expect(summary(file, openTiffFile)).toEqual(summary(writeTiff(camera)));
    expect(summary(exifOfTiffFile(file) ?? new Uint8Array())).toEqual(expected);
    const exifAt = 16 + 8 + 2 * 20;
    if (isIntel) file.writeUInt16LE(4, exifAt + 2);
    else file.writeUInt16BE(4, exifAt + 2);
    if (!isIntel) file.copy(file, exifAt + 12, exifAt + 16, exifAt + 20);
    expect(summary(exifOfTiffFile(file) ?? new Uint8Array())).toEqual(expected);
    expect(openTiff(file)).toBeUndefined(); // no EXIF block is of this layout
  });

  it('of a BigTIFF that is cut, or counts beyond its end, is none', () => {
    const file = big(camera, true);
    for (const end of [13, 16, 20, 24, 60]) expect(exifOfTiffFile(file.subarray(0, end))).toBeUndefined();
    file.writeBigUInt64LE(2n ** 63n, 16);
    expect(exifOfTiffFile(file)).toBeUndefined();
  });
});
