import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { makePngChunk, makeXmpChunk } from '../../../../app/imaging/codec/png-chunks.ts';
import type { Image } from '../../../../app/imaging/image.ts';
import { gradient } from '../../../support/images/images.ts';
import { writePng } from '../../../support/images/png.ts';
import type { TiffDirectory } from '../../../support/images/tiff.ts';
import { writeTiff } from '../../../support/images/tiff.ts';

const LIMITS = { maxPixels: 1e6, name: 'picture' };

interface ChannelCase {
  readonly what: string;
  readonly values: readonly number[];
  readonly extra?: readonly number[];
  readonly expected: readonly number[];
  /** Channels that are left out. */
  readonly left: 0 | 1 | 2;
}

/** Pixels of which each channel has a value of its own. */
function page(width: number, height: number, values: readonly number[]): TiffDirectory {
  const samples = Uint8Array.from({ length: width * height * values.length }, (_, i) => values[i % values.length] ?? 0);
  return { width, height, samples };
}

const REDUCED = [254, 4, [1]] as const;
const thumbnail: TiffDirectory = { ...page(6, 4, [255, 0, 0]), entries: [REDUCED] };
const picture = page(24, 16, [10, 20, 30]);

describe('The picture of a TIFF', () => {
  const dng = [50_706, 1, [1, 4, 0, 0]] as const;
  it.each<[string, readonly TiffDirectory[], string]>([
    ['a DNG', [{ ...thumbnail, entries: [REDUCED, dng], children: [picture] }], 'a camera raw (DNG) image'],
    ['a DNG without a thumbnail', [{ ...picture, entries: [dng] }], 'a camera raw (DNG) image'],
    [
      'a sensor in a sub-directory',
      [{ ...thumbnail, children: [{ ...picture, photometric: 32_803 }] }],
      'a camera raw image',
    ],
    ['a sensor in its first page', [{ ...picture, photometric: 32_803 }], 'a camera raw image'],
    ['a sensor in a later page', [thumbnail, { ...picture, photometric: 34_892 }], 'a camera raw image'],
    [
      'a thumbnail whose picture is in a sub-directory',
      [{ ...thumbnail, children: [picture] }],
      'a TIFF whose page is a thumbnail of a picture in a sub-directory',
    ],
    ['more channels than are read', [page(6, 4, [1, 2, 3, 4, 5, 6])], 'a TIFF of 6 channels'],
  ])('%s is refused by name', async (_what, pages, kind) => {
    const expected = `picture: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got ${kind}; convert it first`;
    await expect(decodeImage(writeTiff(pages), LIMITS)).rejects.toThrow(expected);
  });

  it.each([
    [50_000, 'ZSTD'],
    [34_925, 'LZMA'],
    [50_002, 'JPEG XL'],
  ])('compressed by %d is refused by that name, and not called damaged', async (compression, name) => {
    const file = writeTiff([{ ...picture, entries: [[259, 3, [compression]]] }]);
    const expected = `picture: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got a TIFF image compressed by ${name}; convert it first`;
    await expect(decodeImage(file, LIMITS)).rejects.toThrow(expected);
  });

  it.each<[string, string]>([
    ['II*\0\x10\0\0\0CR\x02\0', 'CR2'],
    ['IIU\0\x18\0\0\0', 'RW2'],
    ['IIRO\x08\0\0\0', 'ORF'],
    ['IIRS\x08\0\0\0', 'ORF'],
    ['MMOR\0\0\0\x08', 'ORF'],
    ['FUJIFILMCCD-RAW 0201', 'RAF'],
    ['FOVb\0\0\x02\0', 'X3F'],
    ['\0MRM\0\0\0\0', 'MRW'],
    ['II\x1a\0\0\0HEAPCCDR', 'CRW'],
    ['\0\0\0\x18ftypcrx \0\0\0\x01crx isom', 'CR3'],
  ])('%j is a camera raw of the kind %s', async (start, kind) => {
    const file = Buffer.from(start.padEnd(600, '\0'), 'latin1');
    await expect(decodeImage(file, LIMITS)).rejects.toThrow(`got a camera raw (${kind}) image; convert it first`);
  });

  it.each([4, 8, 9])('of which %d bytes are there is cut, and no camera raw', async (length) => {
    const start = Buffer.from('II*\0\x08\0\0\0C', 'latin1').subarray(0, length);
    await expect(decodeImage(start, LIMITS)).rejects.toThrow(
      'expected a whole TIFF image, but it is damaged or ends early',
    );
  });

  it.each<[string, readonly TiffDirectory[], readonly string[], [number, number]]>([
    [
      'the second page where the first is a copy',
      [thumbnail, picture],
      ['page 1 is a smaller copy; page 2 of 2 is used'],
      [24, 16],
    ],
    [
      'the third where two are copies',
      [thumbnail, thumbnail, picture],
      ['page 1 is a smaller copy; page 3 of 3 is used'],
      [24, 16],
    ],
    [
      'the first of a pyramid',
      [picture, thumbnail],
      ['the file has 2 frames or pages; only the first is used'],
      [24, 16],
    ],
    [
      'the first where the older tag says that it is a copy',
      [{ ...page(6, 4, [255, 0, 0]), entries: [[255, 3, [2]]] }, picture],
      ['page 1 is a smaller copy; page 2 of 2 is used'],
      [24, 16],
    ],
    [
      'a copy where there is nothing else',
      [thumbnail],
      ['the file says that it is a smaller copy of another picture, which is not in it'],
      [6, 4],
    ],
    ['a picture that has a thumbnail', [{ ...picture, children: [thumbnail] }], [], [24, 16]],
  ])('is %s', async (_what, pages, warnings, size) => {
    const { image, warnings: said } = await decodeImage(writeTiff(pages), LIMITS);
    expect([[image.width, image.height], said]).toEqual([size, warnings]);
  });

  it.each<ChannelCase>([
    { what: 'RGB and one of no meaning', values: [1, 2, 3, 0], extra: [0], expected: [1, 2, 3], left: 1 },
    { what: 'RGB and one that is not spoken of', values: [1, 2, 3, 9], expected: [1, 2, 3], left: 1 },
    { what: 'RGB and alpha', values: [1, 2, 3, 9], extra: [2], expected: [1, 2, 3, 9], left: 0 },
    { what: 'RGB, alpha and a selection', values: [1, 2, 3, 9, 5], extra: [2, 0], expected: [1, 2, 3, 9], left: 1 },
    { what: 'RGB, a selection and alpha', values: [1, 2, 3, 5, 9], extra: [0, 2], expected: [1, 2, 3, 9], left: 1 },
    { what: 'RGB and two selections', values: [1, 2, 3, 5, 6], extra: [0, 0], expected: [1, 2, 3], left: 2 },
    { what: 'gray and one of no meaning', values: [7, 5], extra: [0], expected: [7], left: 1 },
    { what: 'gray and alpha', values: [7, 5], extra: [2], expected: [7, 5], left: 0 },
    { what: 'gray, a selection and alpha', values: [7, 5, 9], extra: [0, 2], expected: [7, 9], left: 1 },
  ])('of the channels $what is $expected', async ({ what, values, extra, expected, left }) => {
    const photometric = what.startsWith('gray') ? 1 : 2;
    const entries = extra ? [[338, 3, extra] as const] : [];
    const { image, warnings } = await decodeImage(writeTiff([{ ...page(6, 4, values), photometric, entries }]), LIMITS);
    const told = [
      'a channel that is neither colour nor alpha (ExtraSamples) is left out',
      '2 channels that are neither colour nor alpha (ExtraSamples) are left out',
    ];
    expect([[...image.data.subarray(0, image.channels)], image.data.length]).toEqual([expected, 24 * expected.length]);
    expect(warnings).toEqual(left === 0 ? [] : [told[left - 1]]);
  });

  it.each([0, 9, 100, 65_535])('of orientation %d stands upright', async (orientation) => {
    const { image } = await decodeImage(writeTiff([{ ...picture, entries: [[274, 3, [orientation]]] }]), LIMITS);
    expect([image.width, image.height]).toEqual([24, 16]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of orientation %d is turned', async (orientation) => {
    const { image } = await decodeImage(writeTiff([{ ...picture, entries: [[274, 3, [orientation]]] }]), LIMITS);
    expect([image.width, image.height]).toEqual(orientation < 5 ? [24, 16] : [16, 24]);
  });
});

/** Every pixel is another one, so that turns can be told apart. */
const marked = gradient({ width: 5, height: 3, channels: 3, depth: 8 });
const exifOf = (orientation: number): Buffer =>
  Buffer.from([0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
const xmpOf = (orientation: number): Buffer =>
  Buffer.from(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="${orientation}"/></x:xmpmeta>`);

/** By the words of the EXIF standard: where row 0 and column 0 of what is stored are in the picture. */
function turnedByHand({ width, height, data }: Image, orientation: number): number[] {
  const isOnItsSide = orientation >= 5;
  const [columns, rows] = isOnItsSide ? [height, width] : [width, height];
  const source = (x: number, y: number): [number, number] => {
    const [right, bottom] = [width - 1, height - 1];
    const places: readonly [number, number][] = [
      [x, y],
      [right - x, y],
      [right - x, bottom - y],
      [x, bottom - y],
      [y, x],
      [y, bottom - x],
      [right - y, bottom - x],
      [right - y, x],
    ];
    return places[orientation - 1] ?? [0, 0];
  };
  return Array.from({ length: rows * columns }, (_, at) => {
    const [x, y] = source(at % columns, Math.floor(at / columns));
    return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  }).flat();
}

describe('A picture is turned', () => {
  const plain = writePng(marked);
  const beforePixels = (...chunks: readonly Uint8Array[]): Buffer =>
    Buffer.concat([plain.subarray(0, 33), ...chunks, plain.subarray(33)]);
  const behindPixels = (chunk: Uint8Array): Buffer =>
    Buffer.concat([plain.subarray(0, -12), chunk, plain.subarray(-12)]);
  const cases = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((orientation) => [
    ['by EXIF before the pixels of a PNG', orientation, () => beforePixels(makePngChunk('eXIf', exifOf(orientation)))],
    [
      'by EXIF of a PNG that begins as in a JPEG',
      orientation,
      () => beforePixels(makePngChunk('eXIf', Buffer.concat([Buffer.from('Exif\0\0'), exifOf(orientation)]))),
    ],
    ['by EXIF behind the pixels of a PNG', orientation, () => behindPixels(makePngChunk('eXIf', exifOf(orientation)))],
    [
      'by EXIF that is too large to be kept',
      orientation,
      () => beforePixels(makePngChunk('eXIf', Buffer.concat([exifOf(orientation), Buffer.alloc(70_000)]))),
    ],
    ['by the XMP of a PNG', orientation, () => beforePixels(makeXmpChunk(xmpOf(orientation)))],
    [
      'by the XMP of a WebP',
      orientation,
      () => sharp(plain).withXmp(xmpOf(orientation).toString()).webp({ lossless: true }).toBuffer(),
    ],
    [
      'by the XMP of a TIFF',
      orientation,
      () =>
        writeTiff([{ ...marked, samples: Uint8Array.from(marked.data), entries: [[700, 1, [...xmpOf(orientation)]]] }]),
    ],
  ]) as [string, number, () => Promise<Buffer> | Buffer][];

  it.each(cases)('%s, orientation %d', async (how, orientation, make) => {
    const { image, metadata, warnings } = await decodeImage(await make(), LIMITS);
    const isTold = how.includes('XMP') && orientation > 1;
    const told = `the picture is turned as its XMP says (orientation ${orientation}); EXIF says nothing`;
    expect([...image.data]).toEqual(turnedByHand(marked, orientation));
    expect(warnings.filter((warning) => warning.includes('XMP'))).toEqual(isTold ? [told] : []);
    expect(Buffer.from(metadata.xmp ?? []).toString('latin1')).not.toMatch(/Orientation="[2-8]/);
  });

  it('by EXIF where XMP says something else', async () => {
    const file = beforePixels(makeXmpChunk(xmpOf(8)), makePngChunk('eXIf', exifOf(3)));
    const { image, warnings } = await decodeImage(file, LIMITS);
    expect([[...image.data], warnings]).toEqual([turnedByHand(marked, 3), []]);
  });
});

describe('The first frame of a GIF', () => {
  /** 6 x 4 pixels of one colour on a canvas. */
  async function frameAt(x: number, y: number, canvas: readonly [number, number]): Promise<Buffer> {
    const green = { r: 0, g: 255, b: 0 };
    const file = await sharp({ create: { width: 6, height: 4, channels: 3, background: green } })
      .gif()
      .toBuffer();
    const frame = file.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 6, 0, 4, 0]));
    file.writeUInt16LE(canvas[0], 6);
    file.writeUInt16LE(canvas[1], 8);
    file.writeUInt16LE(x, frame + 1);
    file.writeUInt16LE(y, frame + 3);
    return file;
  }

  it.each<[number, number, readonly [number, number]]>([
    [2, 1, [10, 8]],
    [0, 0, [7, 4]],
    [0, 1, [6, 5]],
    [4, 4, [10, 8]],
  ])('at %d,%d is clear beside itself on a canvas of %j', async (x, y, canvas) => {
    const { image } = await decodeImage(await frameAt(x, y, canvas), LIMITS);
    const alpha = Array.from({ length: canvas[0] * canvas[1] }, (_, i) => image.data[i * 4 + 3]);
    const expected = alpha.map((_, i) => {
      const [column, row] = [i % canvas[0], Math.floor(i / canvas[0])];
      return column >= x && column < x + 6 && row >= y && row < y + 4 ? 255 : 0;
    });
    expect([image.channels, image.width, image.height, alpha]).toEqual([4, ...canvas, expected]);
  });

  it('has no alpha where it covers the canvas', async () => {
    expect((await decodeImage(await frameAt(0, 0, [6, 4]), LIMITS)).image.channels).toBe(3);
  });
});
