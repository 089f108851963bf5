import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { DecodedImage } from '../../../../app/imaging/codec/codec.ts';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import { openTiff, readDirectory, TAG } from '../../../../app/imaging/codec/exif/exif-tree.ts';
import type { Image } from '../../../../app/imaging/image.ts';
import { difference, gradient, noise } from '../../../support/images/images.ts';
import { headerChunk, joinPng, readPng, writePng } from '../../../support/images/png.ts';

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/imaging/${name}`, import.meta.url));
const decode = (file: string | Uint8Array): Promise<DecodedImage> =>
  decodeImage(file, { maxPixels: 1e6, name: 'input' });
const raw = ({ width, height, channels, data }: Image) => sharp(data, { raw: { width, height, channels } });
const shapeOf = ({ image }: DecodedImage) => [image.width, image.height, image.channels, image.depth];

describe('Decoding PNG', () => {
  const kinds = ([8, 16] as const).flatMap((depth) =>
    ([1, 2, 3, 4] as const).map((channels) => [channels, depth] as const),
  );

  it.each(kinds)('gives %d channels of %d bits as they are', async (channels, depth) => {
    const image = noise({ width: 17, height: 9, channels, depth });
    const decoded = await decode(writePng(image));
    expect(difference(decoded.image, image).max).toBe(0);
    expect([decoded.metadata.format, decoded.warnings]).toEqual(['png', []]);
  });

  it.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
    [5, 3],
  ])('reads %dx%d', async (width, height) => {
    const image = noise({ width, height, channels: 3, depth: 8 });
    expect(difference((await decode(writePng(image))).image, image).max).toBe(0);
  });

  /** A PNG of one row of packed samples. */
  const packed = (
    header: readonly [width: number, depth: number, colorType: number],
    row: number[],
    extra: [string, number[]][] = [],
  ) =>
    joinPng([
      headerChunk(header[0], 1, header[1], header[2]),
      ...extra.map(([type, data]) => ({ type, data: Uint8Array.from(data) })),
      { type: 'IDAT', data: deflateSync(Uint8Array.from([0, ...row])) },
      { type: 'IEND', data: new Uint8Array(0) },
    ]);

  it('widens 1, 2 and 4 bits of gray', async () => {
    expect((await decode(packed([8, 1, 0], [0b10100001]))).image).toMatchObject({
      channels: 1,
      data: Uint8Array.of(255, 0, 255, 0, 0, 0, 0, 255),
    });
    expect((await decode(packed([4, 2, 0], [0b00011011]))).image.data).toEqual(Uint8Array.of(0, 85, 170, 255));
    expect((await decode(packed([2, 4, 0], [0x1f]))).image.data).toEqual(Uint8Array.of(17, 255));
  });

  it('looks colours up in a palette, transparent ones too', async () => {
    const palette: [string, number[]] = ['PLTE', [255, 0, 0, 0, 255, 0, 1, 2, 3]];
    expect((await decode(packed([3, 8, 3], [2, 0, 1], [palette]))).image).toMatchObject({
      channels: 3,
      data: Uint8Array.of(1, 2, 3, 255, 0, 0, 0, 255, 0),
    });
    expect((await decode(packed([2, 8, 3], [1, 2], [palette, ['tRNS', [255, 7]]]))).image).toMatchObject({
      channels: 4,
      data: Uint8Array.of(0, 255, 0, 7, 1, 2, 3, 255),
    });
  });

  it('makes a transparent gray or colour an alpha channel', async () => {
    expect((await decode(packed([2, 8, 0], [5, 6], [['tRNS', [0, 5]]]))).image).toMatchObject({
      channels: 2,
      data: Uint8Array.of(5, 0, 6, 255),
    });
    expect((await decode(packed([1, 8, 2], [1, 2, 3], [['tRNS', [0, 1, 0, 2, 0, 3]]]))).image).toMatchObject({
      channels: 4,
      data: Uint8Array.of(1, 2, 3, 0),
    });
  });

  it('reads interlaced files, and the first frame of an animated one with a warning', async () => {
    const image = gradient({ width: 33, height: 21, channels: 3, depth: 8 });
    expect(difference((await decode(await raw(image).png({ progressive: true }).toBuffer())).image, image).max).toBe(0);
    const animated = await decode(writePng(image, [{ type: 'acTL', data: Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0) }]));
    expect(difference(animated.image, image).max).toBe(0);
    expect(animated.warnings).toEqual(['the file has 9 frames or pages; only the first is used']);
  });
});

describe('Decoding other formats', () => {
  const image = gradient({ width: 40, height: 24, channels: 3, depth: 8 });
  const gray = gradient({ width: 40, height: 24, channels: 1, depth: 8 });
  const alpha = gradient({ width: 40, height: 24, channels: 4, depth: 8 });

  it('reads JPEG, progressive too, and gray stays gray', async () => {
    for (const progressive of [false, true]) {
      const decoded = await decode(
        await raw(image).jpeg({ quality: 100, chromaSubsampling: '4:4:4', progressive }).toBuffer(),
      );
      expect(difference(decoded.image, image).max).toBeLessThanOrEqual(3);
      expect(decoded.metadata.format).toBe('jpeg');
    }
    const decoded = await decode(await raw(gray).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer());
    expect(difference(decoded.image, gray).max).toBeLessThanOrEqual(2);
  });

  it('reads lossless WebP exactly, with alpha', async () => {
    const decoded = await decode(await raw(alpha).webp({ lossless: true, exact: true }).toBuffer());
    expect(difference(decoded.image, alpha).max).toBe(0);
    expect(decoded.metadata.format).toBe('webp');
  });

  it.each(['none', 'lzw', 'deflate', 'packbits'] as const)(
    'reads TIFF with compression %s exactly',
    async (compression) => {
      for (const expected of [image, alpha]) {
        const decoded = await decode(await raw(expected).tiff({ compression }).toBuffer());
        expect(difference(decoded.image, expected).max).toBe(0);
      }
      const decoded = await decode(await raw(gray).toColourspace('b-w').tiff({ compression }).toBuffer());
      expect(difference(decoded.image, gray).max).toBe(0);
      expect(decoded.metadata.format).toBe('tiff');
    },
  );

  it('reads TIFF of 16 bits, of 1 bit, and as BigTIFF', async () => {
    const deep = noise({ width: 20, height: 10, channels: 3, depth: 16 });
    const file = await sharp(writePng(deep)).toColourspace('rgb16').tiff({ compression: 'lzw' }).toBuffer();
    expect(difference((await decode(file)).image, deep).max).toBe(0);
    const lines = { ...gray, data: gray.data.map((sample) => (sample > 127 ? 255 : 0)) };
    const oneBit = await raw(lines).toColourspace('b-w').tiff({ bitdepth: 1, compression: 'ccittfax4' }).toBuffer();
    expect(difference((await decode(oneBit)).image, lines).max).toBe(0);
    expect(
      difference((await decode(await raw(image).tiff({ bigtiff: true, compression: 'lzw' }).toBuffer())).image, image)
        .max,
    ).toBe(0);
  });

  it('reads AVIF of 8 bits, and of 10 and 12 as 16 with white at full scale', async () => {
    const decoded = await decode(await raw(alpha).avif({ lossless: true, effort: 0 }).toBuffer());
    expect([shapeOf(decoded), decoded.metadata.format]).toEqual([[40, 24, 4, 8], 'avif']);
    expect(difference(decoded.image, alpha).max).toBeLessThanOrEqual(4);
    const white = writePng({ ...image, depth: 16, data: new Uint16Array(image.data.length).fill(65535) });
    for (const bitdepth of [10, 12] as const) {
      const deep = await decode(
        await sharp(white).toColourspace('rgb16').avif({ bitdepth, lossless: true, effort: 0 }).toBuffer(),
      );
      expect(shapeOf(deep)).toEqual([40, 24, 3, 16]);
      expect(deep.image.data[500]).toBe(65535);
    }
  });

  it('reads a still GIF, and the first frame of an animation with a warning and without alpha it does not use', async () => {
    const still = await decode(await raw(gray).gif({ colors: 256, dither: 0 }).toBuffer());
    expect([shapeOf(still), still.metadata.format, still.warnings]).toEqual([[40, 24, 3, 8], 'gif', []]);
    const frames = Uint8Array.of(
      ...image.data,
      ...image.data.map((sample) => 255 - sample),
      ...image.data.map(() => 9),
    );
    const strip = { raw: { width: 40, height: 72, channels: 3, pageHeight: 24 } } as const;
    for (const file of [
      await sharp(frames, strip).gif().toBuffer(),
      await sharp(frames, strip).webp({ lossless: true }).toBuffer(),
    ]) {
      const decoded = await decode(file);
      expect(shapeOf(decoded)).toEqual([40, 24, 3, 8]);
      expect(difference(decoded.image, image).mean).toBeLessThan(6);
      expect(decoded.warnings).toEqual(['the file has 3 frames or pages; only the first is used']);
    }
  });

  it('reads the still image of an AVIF sequence', async () => {
    const decoded = await decode(fixture('sequence.avif'));
    expect(difference(decoded.image, readPng(fixture('ramp.png'))).mean).toBeLessThan(4);
    expect(decoded.warnings).toEqual(['the file is an AVIF sequence; only its still image is used']);
  });

  it('converts CMYK to sRGB, and says so', async () => {
    const cmyk = raw(image).toColourspace('cmyk');
    for (const file of [
      await cmyk.clone().jpeg({ quality: 95 }).toBuffer(),
      await cmyk.clone().tiff({ compression: 'lzw' }).toBuffer(),
    ]) {
      const decoded = await decode(file);
      expect(shapeOf(decoded)).toEqual([40, 24, 3, 8]);
      expect(difference(decoded.image, image).mean).toBeLessThan(25); // the gamut of print is smaller
      expect(decoded.metadata.icc).toBeUndefined();
      expect(decoded.warnings).toEqual(['colours were converted from CMYK to sRGB']);
    }
  });

  it('converts a L*a*b* TIFF to sRGB, and says so', async () => {
    const decoded = await decode(fixture('lab.tiff'));
    const off = difference(decoded.image, readPng(fixture('ramp.png')));
    expect(off.mean).toBeLessThan(2);
    expect(decoded.warnings).toEqual(['colours were converted from L*a*b* to sRGB']);
  });

  it('keeps one page of many, with a warning', async () => {
    const pages = await sharp(Uint8Array.of(...alpha.data, ...alpha.data), {
      raw: { width: 40, height: 48, channels: 4, pageHeight: 24 },
    })
      .tiff()
      .toBuffer();
    expect((await decode(pages)).warnings).toEqual(['the file has 2 frames or pages; only the first is used']);
  });
});

describe('Orientation', () => {
  const [W, H] = [30, 20];
  const upright = gradient({ width: W, height: H, channels: 3, depth: 8 });

  /** Where a stored pixel belongs in the upright picture, by the table of the EXIF specification. */
  const PLACES: readonly ((x: number, y: number) => readonly [number, number])[] = [
    (x, y) => [x, y],
    (x, y) => [W - 1 - x, y],
    (x, y) => [W - 1 - x, H - 1 - y],
    (x, y) => [x, H - 1 - y],
    (x, y) => [y, x],
    (x, y) => [W - 1 - y, x],
    (x, y) => [W - 1 - y, H - 1 - x],
    (x, y) => [y, H - 1 - x],
  ];

  /** How a camera stores the upright picture under an orientation. */
  function stored(orientation: number): Image {
    const [width, height] = orientation < 5 ? [W, H] : [H, W];
    const data = new Uint8Array(W * H * 3);
    for (let pixel = 0; pixel < W * H; pixel++) {
      const [x = 0, y = 0] = PLACES[orientation - 1]?.(pixel % width, Math.trunc(pixel / width)) ?? [];
      data.set(upright.data.subarray((y * W + x) * 3, (y * W + x) * 3 + 3), pixel * 3);
    }
    return { ...upright, width, height, data };
  }

  const formats = {
    png: {},
    tiff: { compression: 'lzw' },
    webp: { lossless: true },
    jpeg: { quality: 100, chromaSubsampling: '4:4:4' },
  } as const;
  const names = ['png', 'tiff', 'webp', 'jpeg'] as const;
  const cases = PLACES.flatMap((_, i) => names.map((format) => ({ orientation: i + 1, format })));

  it.each(cases)('$orientation of a $format file is applied once', async ({ orientation, format }) => {
    const image = raw(stored(orientation)).withMetadata({ orientation });
    const file = await image.toFormat(format, formats[format]).toBuffer();
    expect((await sharp(file).metadata()).orientation ?? 1).toBe(orientation);
    const decoded = await decode(file);
    expect(difference(decoded.image, upright).max).toBeLessThanOrEqual(format === 'jpeg' ? 3 : 0);
    const tiff = decoded.metadata.exif && openTiff(decoded.metadata.exif);
    const left = tiff ? readDirectory(tiff, tiff.firstDirectory).filter(({ tag }) => tag === TAG.orientation) : [];
    expect(left.map(({ value }) => value[0])).toEqual(format === 'tiff' ? [] : [1]);
  });
});
