import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeImage, encodeImage } from '../../../../app/imaging/codec/codec.ts';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import {
  BadImageError,
  ImageTooLargeError,
  MAX_INPUT_SIDE,
  UnsupportedImageError,
} from '../../../../app/imaging/errors.ts';
import { HiresFixError } from '../../../../app/errors.ts';
import { ScratchImage } from '../../../../app/imaging/scratch-image.ts';
import { metadataBomb, pixelBomb } from '../../../support/images/hostile-images.ts';
import { difference, gradient, noise } from '../../../support/images/images.ts';
import { headerChunk, joinPng, readPngChunks, writePng } from '../../../support/images/png.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const LIMITS = { maxPixels: 2 ** 26, name: 'cat.png' };
const picture = gradient({ width: 64, height: 48, channels: 3, depth: 8 });
const raw = () => sharp(picture.data, { raw: { width: 64, height: 48, channels: 3 } });
const FILES = {
  jpeg: await raw().jpeg().toBuffer(),
  'progressive JPEG': await raw().jpeg({ progressive: true }).toBuffer(),
  png: writePng(picture),
  webp: await raw().webp().toBuffer(),
  'lossless WebP': await raw().webp({ lossless: true }).toBuffer(),
  avif: await raw().avif({ effort: 0 }).toBuffer(),
  tiff: await raw().tiff({ compression: 'lzw' }).toBuffer(),
  'uncompressed TIFF': await raw().tiff({ compression: 'none' }).toBuffer(),
  gif: await raw().gif().toBuffer(),
};
const KINDS = Object.keys(FILES) as (keyof typeof FILES)[];

describe('Decoding what is no image', () => {
  it.each([
    ['an empty file', Buffer.alloc(0), BadImageError, 'got an empty file'],
    ['a text file', Buffer.from('just words\n'), BadImageError, 'got a text file'],
    ['an HTML page', Buffer.from('<!doctype html>'), BadImageError, 'got an HTML page'],
    [
      'an SVG drawing',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      UnsupportedImageError,
      'got an SVG drawing',
    ],
    ['a PDF document', Buffer.from('%PDF-1.4\n'), UnsupportedImageError, 'got a PDF document'],
  ])('refuses %s named .png, and names it', async (_, bytes, error, message) => {
    await expect(decodeImage(bytes, LIMITS)).rejects.toThrow(error);
    await expect(decodeImage(bytes, LIMITS)).rejects.toThrow(
      `cat.png: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, ${message}`,
    );
  });

  it('names a file by its path where no name is given, and refuses folders and files that are not there', async () => {
    const folder = await temporaryFolder();
    await expect(decodeImage(folder.path, { maxPixels: 9 })).rejects.toThrow(
      'expected an image file, got a folder or a device',
    );
    await expect(decodeImage(join(folder.path, 'no.png'), { maxPixels: 9 })).rejects.toThrow(
      /^no\.png: the file cannot be read \(.*ENOENT/,
    );
    writeFileSync(join(folder.path, 'words.png'), 'words');
    await expect(decodeImage(join(folder.path, 'words.png'), { maxPixels: 9 })).rejects.toThrow(
      /^words\.png: expected/,
    );
    writeFileSync(join(folder.path, 'long.png'), FILES.png);
    await expect(decodeImage(join(folder.path, 'long.png'), { maxPixels: 1e6, maxBytes: 20 })).rejects.toThrow(
      `long.png: expected a file of at most 20 bytes, got ${FILES.png.length}`,
    );
    await folder.remove();
  });

  it('keeps every other loader of libvips shut', async () => {
    const drawings = [
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      'P6 1 1 255\nabc',
      '%PDF-1.4\n',
      '1,2\n3,4\n',
    ];
    for (const drawing of drawings)
      await expect(sharp(Buffer.from(drawing)).metadata()).rejects.toThrow('unsupported image format');
    const folder = await temporaryFolder();
    for (const [name, bytes] of [
      ['a.png', FILES.png],
      ['a.svg', drawings[0]],
      ['a.csv', drawings[3]],
      ['a.ppm', drawings[1]],
    ] as const) {
      writeFileSync(join(folder.path, name), bytes ?? '');
      await expect(sharp(join(folder.path, name)).metadata()).rejects.toThrow('unsupported image format');
    }
    await folder.remove();
    expect(process.env['VIPS_BLOCK_UNTRUSTED']).toBe('1');
  });
});

describe('Decoding damaged images', () => {
  it.each(KINDS)('refuses a %s file cut anywhere', async (kind) => {
    const file = FILES[kind];
    const lengths = [
      16,
      40,
      ...[0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(file.length * part)),
      file.length - 5,
    ];
    for (const length of lengths) {
      const error = await decodeImage(file.subarray(0, length), LIMITS).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(BadImageError);
      expect((error as Error).message).toMatch(/^cat\.png: .*ends early/);
    }
  });

  it('takes a JPEG that has other bytes for its end marker, with a warning', async () => {
    const { image, warnings } = await decodeImage(
      Buffer.concat([FILES.jpeg.subarray(0, -2), Buffer.alloc(4096)]),
      LIMITS,
    );
    expect(difference(image, (await decodeImage(FILES.jpeg, LIMITS)).image).max).toBe(0);
    expect(warnings).toEqual(['the file lacks its end marker; its pixels were complete']);
  });

  it('takes a JPEG whose coded pixels end before the picture does, as viewers do, and says so', async () => {
    const bent = Buffer.from(FILES.jpeg);
    const middle = (bent.length + bent.indexOf(Buffer.from([0xff, 0xda]))) >> 1;
    bent.set([0xff, 0xd0], middle); // a marker that has no place there: what follows becomes gray
    const { warnings } = await decodeImage(bent, LIMITS);
    expect(warnings).toEqual([
      'the file is damaged: parts of the picture may be gray or wrong (premature end of data segment)',
    ]);
  });

  it.each(KINDS)('ends with an image or a clear error for %s files with bytes changed', async (kind) => {
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 60; round++) {
      const bent = Buffer.from(FILES[kind]);
      for (let i = 0; i <= round % 5; i++) bent[random(round % 2 ? 64 : bent.length)] = random(256);
      const outcome = await decodeImage(bent, { maxPixels: 1e6, name: 'bent' }).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(HiresFixError);
    }
  });
});

describe('Decoding bombs', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  const put = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder.path, name), bytes);
    return join(folder.path, name);
  };

  it('refuses too many pixels by the header, of every format', async () => {
    for (const kind of KINDS) {
      const outcome = decodeImage(FILES[kind], { maxPixels: 64 * 48 - 1, name: kind });
      await expect(outcome).rejects.toThrow(ImageTooLargeError);
      await expect(outcome).rejects.toMatchObject({
        width: 64,
        height: 48,
        maxPixels: 3071,
        code: 'ERR_IMAGE_TOO_LARGE',
      });
    }
    await expect(decodeImage(pixelBomb(), LIMITS)).rejects.toThrow(
      'cat.png: 40000x40000 is 1600000000 pixels, at most 67108864 are allowed; send a smaller image',
    );
  });

  it.each([
    [1, MAX_INPUT_SIDE],
    [MAX_INPUT_SIDE, 1],
  ])('refuses a side of one pixel more than %i x %i by the header', async (width, height) => {
    const png = (w: number, h: number) => joinPng([headerChunk(w, h, 8, 0), ...readPngChunks(FILES.png).slice(1)]);
    const longer = [width, height].map((side) => (side === 1 ? 1 : side + 1)) as [number, number];
    await expect(decodeImage(png(...longer), LIMITS)).rejects.toThrow(
      `cat.png: ${longer.join('x')} has a side of more than 1048576 pixels; send a smaller image`,
    );
    await expect(decodeImage(png(width, height), LIMITS)).rejects.toThrow(BadImageError); // its pixels alone are others
  });

  it('stays below 300 MB and a second for each of them', () => {
    const gif = Buffer.from(FILES.gif);
    gif.writeUInt16LE(65_535, 6);
    gif.writeUInt16LE(65_535, 8);
    const jpeg = Buffer.from(FILES.jpeg);
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(65_500, frame + 5);
    jpeg.writeUInt16BE(65_500, frame + 7);
    const webp = Buffer.concat([
      FILES.webp.subarray(0, 12),
      Buffer.from('VP8X\x0a\0\0\0\x12\0\0\0\xfe\x3f\0\xfe\x3f\0', 'latin1'),
      FILES.webp.subarray(12),
    ]);
    const tiff = Buffer.from(FILES.tiff);
    const directory = tiff.readUInt32LE(4);
    for (let i = 0; i < tiff.readUInt16LE(directory); i++) {
      const at = directory + 2 + i * 12;
      if ([256, 257].includes(tiff.readUInt16LE(at))) tiff.writeUInt32LE(60_000, at + 8).toString();
    }
    const avif = Buffer.from(FILES.avif);
    avif.writeUInt32BE(60_000, avif.indexOf('ispe') + 8);
    const piece = Buffer.concat([Buffer.from([0xff, 0xed, 0xff, 0xff]), Buffer.alloc(65_533)]);
    const ballast = Buffer.concat([
      FILES.jpeg.subarray(0, 2),
      ...Array.from({ length: 600 }, () => piece),
      FILES.jpeg.subarray(2),
    ]);
    const profile = Buffer.concat([Buffer.from('x\0\0', 'latin1'), deflateSync(Buffer.alloc(400 << 20))]);
    const texts = Array.from({ length: 12_000 }, () => ({ type: 'tEXt', data: Buffer.from('k\0v') }));
    const expected: [file: string, result: RegExp][] = [
      [put('texts-200-of-5-MB.png', metadataBomb()), /^1x1 200 text chunks dropped/],
      [put('header.png', pixelBomb()), /^ERR_IMAGE_TOO_LARGE/],
      [put('header.gif', gif), /^ERR_IMAGE_TOO_LARGE/],
      [put('header.jpg', jpeg), /^ERR_IMAGE_TOO_LARGE/],
      [put('header.webp', webp), /^ERR_IMAGE_TOO_LARGE/],
      [put('header.tiff', tiff), /^ERR_IMAGE_TOO_LARGE/],
      [put('header.avif', avif), /^ERR_(IMAGE_TOO_LARGE|BAD_IMAGE)/],
      [put('profile-400-MB.png', writePng(picture, [{ type: 'iCCP', data: profile }])), /^64x48 ICC profile dropped/],
      [put('chunks.png', writePng(picture, texts)), /^ERR_BAD_IMAGE .*at most 10000 chunks/],
      [put('ballast-39-MB.jpg', ballast), /^64x48$/],
    ];
    const child = fileURLToPath(new URL('decode-child.ts', import.meta.url));
    const output = execFileSync(process.execPath, ['--import', 'tsx', child, ...expected.map(([file]) => file)], {
      encoding: 'utf8',
    });
    const { outcomes, peakMb } = JSON.parse(output) as {
      outcomes: { result: string; milliseconds: number }[];
      peakMb: number;
    };
    expected.forEach(([, result], i) => expect(outcomes[i]?.result).toMatch(result));
    expect(Math.max(...outcomes.map(({ milliseconds }) => milliseconds))).toBeLessThan(1000);
    expect(peakMb).toBeLessThan(300);
  });
});

describe('Files that are two things', () => {
  it.each(KINDS)('leave the other behind: %s', async (kind) => {
    const folder = await temporaryFolder();
    const secret = Buffer.from('PK\x03\x04 SECRET-PAYLOAD <script>alert(1)</script>');
    const { image, metadata } = await decodeImage(Buffer.concat([FILES[kind], secret]), LIMITS);
    const scratch = ScratchImage.create(folder.path, image);
    scratch.writeRows(image.data);
    for (const format of ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const) {
      const target = join(folder.path, `a.${format}`);
      await encodeImage(scratch, target, { format, metadata });
      expect(readFileSync(target).includes('SECRET')).toBe(false);
    }
    scratch.dispose();
    await folder.remove();
  });

  it('keeps no comment and no unknown segment of a JPEG', async () => {
    const comment = Buffer.from('\xff\xfe\0\x10SECRET-PAYLOAD', 'latin1');
    const file = Buffer.concat([FILES.jpeg.subarray(0, 2), comment, FILES.jpeg.subarray(2)]);
    const { metadata } = await decodeImage(file, LIMITS);
    expect(JSON.stringify(metadata)).not.toContain('SECRET');
  });
});

describe('Large but honest images', () => {
  it('decode in less than twice their pixels and a hundred megabytes', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'large.png');
    const large = noise({ width: 64, height: 64, channels: 3, depth: 8 });
    await sharp(large.data, { raw: { width: 64, height: 64, channels: 3 } })
      .resize(6000, 4000, { fit: 'fill', kernel: 'nearest' })
      .png({ compressionLevel: 1 })
      .toFile(file);
    const child = fileURLToPath(new URL('decode-child.ts', import.meta.url));
    const output = execFileSync(process.execPath, ['--import', 'tsx', child, file], { encoding: 'utf8' });
    const { outcomes, startMb, peakMb } = JSON.parse(output) as {
      outcomes: { result: string }[];
      startMb: number;
      peakMb: number;
    };
    expect(outcomes[0]?.result).toBe('6000x4000');
    expect(peakMb - startMb).toBeLessThan(2 * 72 + 100);
    await folder.remove();
  });
});
