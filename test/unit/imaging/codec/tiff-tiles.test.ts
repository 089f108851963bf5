import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { readTiffPages } from '../../../../app/imaging/codec/tiff/tiff-pages.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';
import { noise } from '../../../support/images/images.ts';

const LIMITS = { maxPixels: 100_000, name: 'tiles.tif' };
const [X_RESOLUTION, TILE_OFFSETS, TILE_BYTE_COUNTS] = [282, 324, 325] as const;
type Edit = readonly [counts: string, edit: (value: number, tile: number) => number];
const HALVED: Edit = ['half of what they were', (value) => value >> 1];
const PICTURE = noise({ width: 96, height: 64, channels: 3, depth: 8 });

function tiled(compression: 'none' | 'lzw' | 'deflate' | 'jpeg'): Promise<Buffer> {
  const { data, ...raw } = PICTURE;
  return sharp(data, { raw }).tiff({ compression, tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer();
}

/** Where an entry of the first directory stands. */
function entryOf(file: Buffer, tag: number): number {
  const directory = file.readUInt32LE(4);
  const entries = Array.from({ length: file.readUInt16LE(directory) }, (_, i) => directory + 2 + i * 12);
  return entries.find((entry) => file.readUInt16LE(entry) === tag) ?? NaN;
}

/** The file with other values in an entry that has six of them, one a tile. */
function edited(file: Buffer, tag: number, edit: (value: number, tile: number) => number): Buffer {
  const copy = Buffer.from(file);
  const entry = entryOf(copy, tag);
  const width = copy.readUInt16LE(entry + 2) === 3 ? 2 : 4;
  for (let tile = 0; tile < 6; tile++) {
    const at = copy.readUInt32LE(entry + 8) + tile * width;
    copy.writeUIntLE(edit(copy.readUIntLE(at, width), tile), at, width);
  }
  return copy;
}

describe.each(['none', 'lzw', 'deflate', 'jpeg'] as const)('A TIFF in tiles, compression %s,', (compression) => {
  let whole: Buffer;
  beforeAll(async () => {
    whole = await tiled(compression);
  });

  it('is read where it is whole, also with an entry that nobody knows', async () => {
    const { image, warnings } = await decodeImage(whole, LIMITS);
    expect([image.width, image.height, warnings]).toEqual([96, 64, []]);
    const unknown = Buffer.from(whole);
    unknown.writeUInt16LE(289, entryOf(unknown, X_RESOLUTION)); // a number that stands for nothing
    expect((await decodeImage(unknown, LIMITS)).image.data).toEqual(image.data);
  });

  it.each<Edit>([
    ['0', () => 0],
    ['beyond the file', () => 0xffff],
    ['3', () => 3],
    // A JPEG's half is a picture, as everywhere.
    ...(compression === 'jpeg' ? [] : [HALVED]),
    ['0 for one tile', (value, tile) => (tile === 1 ? 0 : value)],
  ])('is refused, and not black, where its byte counts are %s', async (_, edit) => {
    await expect(decodeImage(edited(whole, TILE_BYTE_COUNTS, edit), LIMITS)).rejects.toThrow(
      /^tiles\.tif: expected a whole TIFF image, but it is damaged/,
    );
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
