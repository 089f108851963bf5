import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { TAG, writeTiff } from '../../../../app/imaging/codec/exif/exif-tree.ts';
import { noise } from '../../../support/images/images.ts';

const LIMITS = { maxPixels: 30 * 57 }; // of the largest
const KINDS = [
  { kind: 'gray', channels: 1 },
  { kind: '4:4:4', channels: 3, options: { chromaSubsampling: '4:4:4' } },
  { kind: '4:2:0', channels: 3, options: { chromaSubsampling: '4:2:0' } },
  { kind: 'progressive', channels: 3, options: { chromaSubsampling: '4:4:4', progressive: true } },
] as const;

function encoded({ channels, options = {} }: { channels: 1 | 3; options?: object }, height: number): Promise<Buffer> {
  const { data, ...raw } = noise({ width: 30, height, channels, depth: 8 });
  return sharp(data, { raw })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg(options)
    .toBuffer();
}

/** The file without some of its last coded pixels, or with bits of them that mean nothing. */
const DAMAGES = [
  ['premature end of data segment', (file: Buffer) => Buffer.concat([file.subarray(0, -22), file.subarray(-2)])],
  ['bad Huffman code', (file: Buffer) => Buffer.from(file).fill('ff00', file.length - 22, file.length - 12, 'hex')],
] as const;

describe.each(KINDS)('A JPEG, $kind,', (kind) => {
  // To the last row of a block, a little over it, and a little less.
  it.each([9, 16, 40, 43, 48, 49, 57])('is told to be damaged where it is in its last rows, of %d', async (height) => {
    const whole = await encoded(kind, height);
    const { image, warnings } = await decodeImage(whole, LIMITS);
    expect([image.width, image.height, warnings]).toEqual([30, height, []]);
    expect(image.data).toEqual(
      new Uint8Array(
        await sharp(whole)
          .toColourspace(kind.channels === 1 ? 'b-w' : 'srgb')
          .raw()
          .toBuffer(),
      ),
    );
    for (const [words, damaged] of DAMAGES) {
      expect((await decodeImage(damaged(whole), LIMITS)).warnings).toEqual([
        `the file is damaged: parts of the picture may be gray or wrong (${words})`,
      ]);
    }
  });
});

/** The file with EXIF that says how it is turned. */
function turned(file: Buffer, orientation: number): Buffer {
  const exif = writeTiff([{ tag: TAG.orientation, type: 3, count: 1, value: Uint8Array.of(orientation, 0) }]);
  const head = Buffer.from('\xff\xe1\0\0Exif\0\0', 'latin1');
  head.writeUInt16BE(8 + exif.length, 2);
  return Buffer.concat([file.subarray(0, 2), head, exif, file.subarray(2)]);
}

describe('A JPEG that is turned', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is whole at its edges: orientation %d', async (orientation) => {
    for (const kind of KINDS) {
      const file = turned(await encoded(kind, 43), orientation);
      const { data, info } = await sharp(file)
        .autoOrient()
        .toColourspace(kind.channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { image, warnings } = await decodeImage(file, LIMITS);
      expect([image.width, image.height, image.channels, warnings]).toEqual([
        info.width,
        info.height,
        info.channels,
        [],
      ]);
      expect(image.data).toEqual(new Uint8Array(data));
    }
  });
});
