import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TiffOptions } from 'sharp';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { readTiffPages } from '../../../../app/imaging/codec/tiff/tiff-pages.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';
import { noise } from '../../../support/images/images.ts';

const LIMITS = { maxPixels: 100_000, name: 'tiles.tif' };
const [X_RESOLUTION, TILE_OFFSETS, TILE_BYTE_COUNTS, STRIP_BYTE_COUNTS] = [282, 324, 325, 279] as const;
const SHORT = 3;
const PICTURE = noise({ width: 96, height: 64, channels: 3, depth: 8 });
const COMPRESSIONS = ['none', 'lzw', 'deflate', 'jpeg', 'webp'] as const;

function tiled(compression: (typeof COMPRESSIONS)[number], options: TiffOptions = {}): Promise<Buffer> {
  const { data, ...raw } = PICTURE;
  const tiles = { tile: true, tileWidth: 32, tileHeight: 32 };
  return sharp(data, { raw })
    .tiff({ compression, ...tiles, ...options })
    .toBuffer();
}

/** An entry of the first directory: where it stands, how many values it has, and where they are, each of how many bytes. */
function entryOf(file: Buffer, tag: number): { at: number; count: number; values: number; bytes: number } {
  const isBig = file.readUInt16LE(2) === 43;
  const long = (at: number): number => (isBig ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at));
  const [directory, head, size, wide] = isBig ? [long(8), 8, 20, 8] : [long(4), 2, 12, 4];
  const entries = Array.from({ length: file.readUInt16LE(directory) }, (_, i) => directory + head + i * size);
  const at = entries.find((entry) => file.readUInt16LE(entry) === tag) ?? NaN;
  const [count, bytes] = [long(at + 4), file.readUInt16LE(at + 2) === SHORT ? 2 : 4];
  const inline = at + 4 + wide;
  return { at, count, values: count * bytes > wide ? long(inline) : inline, bytes };
}

/** The file with other values in an entry. */
function edited(file: Buffer, tag: number, edit: (value: number, index: number) => number): Buffer {
  const copy = Buffer.from(file);
  const { count, values, bytes } = entryOf(copy, tag);
  for (let index = 0; index < count; index++) {
    const at = values + index * bytes;
    copy.writeUIntLE(edit(copy.readUIntLE(at, bytes), index), at, bytes);
  }
  return copy;
}

const EDITS: readonly (readonly [counts: string, edit: (value: number, index: number) => number])[] = [
  ['0', () => 0],
  ['beyond the file', () => 0xffff],
  ['3', () => 3],
  ['half of what they were', (value) => value >> 1],
  ['0 for one of them', (value, index) => (index === 1 ? 0 : value)],
];

const refusal = /^tiles\.tif: expected a whole TIFF image, but it is damaged/;

describe.each(COMPRESSIONS)('A TIFF in tiles, compression %s,', (compression) => {
  let whole: Buffer;
  beforeAll(async () => {
    whole = await tiled(compression);
  });

  it('is read where it is whole, also with an entry that nobody knows', async () => {
    const { image, warnings } = await decodeImage(whole, LIMITS);
    expect([image.width, image.height, warnings]).toEqual([96, 64, []]);
    const unknown = Buffer.from(whole);
    unknown.writeUInt16LE(289, entryOf(unknown, X_RESOLUTION).at); // a number that stands for nothing
    expect((await decodeImage(unknown, LIMITS)).image.data).toEqual(image.data);
  });

  it.each(EDITS)('is refused, and not black, where its byte counts are %s', async (_, edit) => {
    await expect(decodeImage(edited(whole, TILE_BYTE_COUNTS, edit), LIMITS)).rejects.toThrow(refusal);
  });
});

describe.each([
  ...COMPRESSIONS.map((compression) => ({ compression, kind: 'strips', options: { tile: false } })),
  { compression: 'jpeg', kind: 'strips, BigTIFF', options: { tile: false, bigtiff: true } },
  { compression: 'jpeg', kind: 'tiles, BigTIFF', options: { bigtiff: true } },
] as const)('A TIFF in $kind, compression $compression,', ({ compression, options }) => {
  it('is refused where one of them is cut, by its length or by the end of the file', async () => {
    const whole = await tiled(compression, options);
    expect((await decodeImage(whole, LIMITS)).warnings).toEqual([]);
    const counts = options.tile === false ? STRIP_BYTE_COUNTS : TILE_BYTE_COUNTS;
    const cut = (edit: (value: number) => number): Promise<unknown> =>
      decodeImage(
        edited(whole, counts, (value, index) => (index === 1 ? edit(value) : value)),
        LIMITS,
      );
    await expect(cut((value) => value + whole.length)).rejects.toThrow(refusal);
    await expect(cut((value) => value >> 1)).rejects.toThrow(refusal);
  });
});

describe('A TIFF packed as JPEG', () => {
  it('is refused where the bytes of a tile end in something else than its end', async () => {
    const whole = await tiled('jpeg');
    const [places, lengths] = [entryOf(whole, TILE_OFFSETS), entryOf(whole, TILE_BYTE_COUNTS)];
    const end = whole.readUIntLE(places.values, places.bytes) + whole.readUIntLE(lengths.values, lengths.bytes);
    whole.fill(0, end - 200, end);
    const reason = '(1 of its tiles, which are JPEGs, have no end)';
    await expect(decodeImage(whole, LIMITS)).rejects.toThrow(reason);
  });
});

describe.each([{ bigtiff: false }, { bigtiff: true }])('A TIFF in strips that are JPEGs, %p,', (options) => {
  let whole: Buffer;
  beforeAll(async () => {
    whole = await tiled('jpeg', { ...options, tile: false });
  });

  it('is read where they lack their end marker, and nothing else', async () => {
    const open = edited(whole, STRIP_BYTE_COUNTS, (value) => value - 2);
    const [{ image }, read] = [await decodeImage(whole, LIMITS), await decodeImage(open, LIMITS)];
    expect([read.image, read.warnings]).toEqual([image, []]);
  });

  it('is read where one of them is damaged within, and that is told', async () => {
    const damaged = Buffer.from(whole);
    damaged.set([0xff, 0xd9], whole.indexOf(Buffer.of(0xff, 0xda)) + 1000); // an end within its scan
    const { warnings } = await decodeImage(damaged, LIMITS);
    expect(warnings).toEqual([
      'the file is damaged: parts of the picture may be gray or wrong (premature end of data segment)',
    ]);
  });
});

describe('A TIFF some of whose tiles are not in the file', () => {
  it('is read, and how many are black is told', async () => {
    const without = (file: Buffer, tag: number) => edited(file, tag, (value, tile) => (tile === 1 ? 0 : value));
    const sparse = without(without(await tiled('deflate'), TILE_OFFSETS), TILE_BYTE_COUNTS);
    const { image, warnings } = await decodeImage(sparse, LIMITS);
    expect(warnings).toEqual(['1 of 6 tiles are not in the file; they are black']);
    const at = (x: number, y: number) => [...image.data.subarray(3 * (96 * y + x), 3 * (96 * y + x) + 3)];
    expect([at(40, 3), at(31, 3)]).toEqual([
      [0, 0, 0],
      [...PICTURE.data.subarray(3 * (96 * 3 + 31), 3 * (96 * 3 + 32))],
    ]);
  });
});

describe('A TIFF of many pages that name the same tiles', () => {
  it('has them looked at a million times, not once for each page', () => {
    const [pages, tiles, tableBytes] = [300, 500_000, 18] as const;
    const firstTable = 8 + tiles * 4;
    const file = Buffer.alloc(firstTable + pages * tableBytes);
    file.write('II*\0', 'latin1');
    file.writeUInt32LE(firstTable, 4);
    for (let page = 0; page < pages; page++) {
      const at = firstTable + page * tableBytes;
      file.writeUInt16LE(1, at);
      file.writeUInt16LE(TILE_OFFSETS, at + 2);
      file.writeUInt16LE(4, at + 4);
      file.writeUInt32LE(tiles, at + 6);
      file.writeUInt32LE(8, at + 10);
      file.writeUInt32LE(page + 1 < pages ? at + tableBytes : 0, at + 14);
    }
    let counted: unknown[] = [];
    expect(cpuSecondsOf(() => (counted = readTiffPages(file).map((page) => page.tiles?.count)))).toBeLessThan(2);
    expect(counted.slice(0, 3)).toEqual([tiles, tiles, undefined]);
    expect(counted).toHaveLength(pages);
  });
});
