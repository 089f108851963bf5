import { describe, expect, it } from '@jest/globals';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import type { TiffDirectory } from '../../../support/images/tiff.ts';
import { writeTiff } from '../../../support/images/tiff.ts';

const LIMITS = { maxPixels: 1e6, name: 'picture' };
const [BITS, PLANES, EXTRA, FORMAT] = [258, 284, 338, 339] as const;
type Entries = NonNullable<TiffDirectory['entries']>;

/** 6x4 pixels of so many channels. */
function page(photometric: number, channels: number): TiffDirectory {
  return { width: 6, height: 4, samples: new Uint8Array(6 * 4 * channels).fill(100), photometric };
}

const [gray, grayAndAnother, rgb, palette, cmyk] = [page(1, 1), page(1, 2), page(2, 3), page(3, 2), page(5, 4)];
const SUBSAMPLING = 530;
const apart = [PLANES, 3, [2]] as const;
const alpha = [EXTRA, 3, [2]] as const;
const tiles: Entries = [
  [322, 4, [16]],
  [323, 4, [16]],
  [324, 4, [8, 8, 8]],
  [325, 4, [256, 256, 256]],
];
const wholeOnes = 'bits instead of whole ones of 8 or 16';

// Of the first of each block the decoder makes other pixels, of the others it says that the file is damaged.
describe('A TIFF of samples that are not read', () => {
  it.each<[string, TiffDirectory, Entries, string]>([
    ['CMYK of 32 bits', cmyk, [[BITS, 3, [32, 32, 32, 32]]], 'whose samples have 32 bits instead of 8 or 16'],
    ['CMYK of floats', cmyk, [[FORMAT, 3, [3]]], `of floating-point (float) numbers of 8 ${wholeOnes}`],
    ['doubles', gray, [[BITS, 3, [64]], [FORMAT, 3, [3]]], `of floating-point (float) numbers of 64 ${wholeOnes}`], // prettier-ignore
    ['signed numbers', gray, [[BITS, 3, [16]], [FORMAT, 3, [2]]], `of signed numbers of 16 ${wholeOnes}`], // prettier-ignore

    ['4 bits and alpha', palette, [[BITS, 3, [4, 4]], alpha], 'whose samples have 4 bits instead of 8 or 16'],
    ['12 bits', gray, [[BITS, 3, [12]]], 'whose samples have 12 bits instead of 8 or 16'],
    ['RGB of 4 bits', rgb, [[BITS, 3, [4, 4, 4]]], 'whose samples have 4 bits instead of 8 or 16'],
    ['RGB of 5 and 6 bits', rgb, [[BITS, 3, [5, 6, 5]]], 'whose samples have 5, 6 bits instead of 8 or 16'],

    ['gray and alpha in planes', grayAndAnother, [apart, alpha], 'whose channels lie apart (PlanarConfiguration 2)'],
    ['gray and a selection in planes', grayAndAnother, [apart], 'whose channels lie apart (PlanarConfiguration 2)'],
    ['YCbCr as it is', page(6, 3), [[SUBSAMPLING, 3, [1, 1]]], 'of YCbCr that is not compressed by JPEG'],
    ['RGB in planes of tiles', rgb, [apart, ...tiles], 'whose channels lie apart (PlanarConfiguration 2)'],
  ])('%s is refused by that', async (_what, picture, entries, kind) => {
    const expected = `picture: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got a TIFF ${kind}; convert it first`;
    await expect(decodeImage(writeTiff([{ ...picture, entries }]), LIMITS)).rejects.toThrow(expected);
  });

  it('of YCbCr with fewer colours than pixels is read, and has no alpha', async () => {
    // Of 2 by 2 pixels four of brightness, and two numbers of colour.
    const samples = Uint8Array.from({ length: 6 * 4 * 2 }, (_, i) => [76, 76, 76, 76, 85, 255][i % 6] ?? 0);
    const picture = { width: 6, height: 4, samples, photometric: 6 };
    const sizes: Entries = [
      [BITS, 3, [8, 8, 8]],
      [277, 3, [3]],
      [279, 4, [36]],
      [SUBSAMPLING, 3, [2, 2]],
    ];
    const { image } = await decodeImage(writeTiff([{ ...picture, entries: sizes }]), LIMITS);
    expect([image.channels, ...image.data.subarray(0, 3)]).toEqual([3, 254, 0, 0]);
  });
});

describe('What a TIFF says of its colours and has not', () => {
  const COLOR_MAP = 320;
  const PROFILE = 34_675;
  const indexes = page(3, 1);

  it('is a palette: it is refused, and its indexes are not taken for gray', async () => {
    const reason = 'damaged or ends early (its palette, the ColorMap, is missing or cut)';
    const whole = Array.from({ length: 768 }, (_, i) => i * 80);
    const read = (entries: Entries) => decodeImage(writeTiff([{ ...indexes, entries }]), LIMITS);
    expect((await read([[COLOR_MAP, 3, whole]])).image.channels).toBe(3);
    await expect(read([])).rejects.toThrow(reason);
    await expect(read([[COLOR_MAP, 3, whole.slice(0, 30)]])).rejects.toThrow(reason);
    await expect(
      decodeImage(beyondEnd({ ...indexes, entries: [[COLOR_MAP, 3, whole]] }, COLOR_MAP), LIMITS),
    ).rejects.toThrow(reason);
  });

  it('is a profile: that is told', async () => {
    const profile = [PROFILE, 1, Array<number>(200).fill(1)] as const;
    const { warnings } = await decodeImage(beyondEnd({ ...rgb, entries: [profile] }, PROFILE), LIMITS);
    expect(warnings).toEqual(['ICC profile dropped: it is not in the file, which ends early']);
  });
});

/** The file of a page one of whose entries has its values behind the end. */
function beyondEnd(picture: TiffDirectory, tag: number): Buffer {
  const file = writeTiff([picture]);
  const table = file.readUInt32LE(4);
  for (let at = table + 2; at < file.length - 4; at += 12) {
    if (file.readUInt16LE(at) === tag) file.writeUInt32LE(file.length - 20, at + 8);
  }
  return file;
}
