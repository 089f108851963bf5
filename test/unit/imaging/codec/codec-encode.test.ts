import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeImage, encodeImage } from '../../../../app/imaging/codec/codec.ts';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import { OutputFormatError, ScratchSpaceError } from '../../../../app/imaging/errors.ts';
import { descriptiveEntries, hasUserComment } from '../../../../app/imaging/codec/exif/exif.ts';
import { openTiff } from '../../../../app/imaging/codec/exif/exif-tree.ts';
import type { Image } from '../../../../app/imaging/image.ts';
import type { ImageMetadata } from '../../../../app/imaging/codec/metadata/metadata.ts';
import { colorsAlone } from '../../../../app/imaging/codec/metadata/metadata.ts';
import type { OutputFormat } from '../../../../app/options/output-formats.ts';
import { traitsOf } from '../../../../app/options/output-formats.ts';
import { makePngChunk } from '../../../../app/imaging/codec/png-chunks.ts';
import { ScratchImage } from '../../../../app/imaging/scratch-image.ts';
import { difference, gradient, noise } from '../../../support/images/images.ts';
import { readPng, readPngChunks } from '../../../support/images/png.ts';
import { mountSmallDisk } from '../../../support/small-disk.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const FORMATS: readonly OutputFormat[] = ['png', 'jpeg', 'webp', 'avif', 'tiff'];
const LIMITS = { maxPixels: 1e6 };

const picture = gradient({ width: 60, height: 40, channels: 3, depth: 8 });

/** A photo's worth of metadata, as a camera and an editor leave it. */
async function cameraFile(): Promise<Buffer> {
  return sharp(picture.data, { raw: { width: 60, height: 40, channels: 3 } })
    .withIccProfile('p3')
    .withExif({
      IFD0: { Make: 'Maker', Model: 'Model X', Copyright: 'nobody' },
      IFD2: { DateTimeOriginal: '2024:01:02 03:04:05' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '48/1 51/1 3025/100',
        GPSLongitudeRef: 'E',
        GPSLongitude: '2/1 17/1 40/1',
      },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><ü/></x:xmpmeta>')
    .withDensity(300)
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/** Tags with their values, as far as they describe the picture. */
function described(exif: Uint8Array | undefined): unknown {
  const tiff = exif && openTiff(exif);
  const entries = tiff ? descriptiveEntries(tiff) : [];
  const plain = (list: typeof entries): unknown =>
    Object.fromEntries(
      list.map(({ tag, value, child }) => [tag, child ? plain([...child]) : Buffer.from(value).toString('hex')]),
    );
  return plain(entries);
}

describe('Encoding', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  async function encode(
    image: Image,
    format: OutputFormat,
    options: { metadata?: ImageMetadata; quality?: number; lossless?: boolean } = {},
  ) {
    const scratch = ScratchImage.create(folder.path, image);
    scratch.writeRows(image.data);
    const file = join(folder.path, `result.${format}`);
    const warnings = await encodeImage(scratch, file, { format, ...options });
    scratch.dispose();
    return { file, warnings, bytes: readFileSync(file) };
  }

  const kinds = ([8, 16] as const).flatMap((depth) =>
    ([1, 2, 3, 4] as const).map((channels) => [channels, depth] as const),
  );

  it.each(kinds)('keeps every sample of %d channels of %d bits in PNG and TIFF', async (channels, depth) => {
    const image = noise({ width: 31, height: 17, channels, depth });
    const png = await encode(image, 'png');
    expect(difference(readPng(png.bytes), image).max).toBe(0);
    const tiff = await encode(image, 'tiff');
    expect(difference((await decodeImage(tiff.file, LIMITS)).image, image).max).toBe(0);
    expect([png.warnings, tiff.warnings]).toEqual([[], []]);
  });

  it.each(FORMATS)('keeps 1x1, 1x5000 and 5x3 in %s', async (format) => {
    for (const [width, height] of [
      [1, 1],
      [1, 5000],
      [5, 3],
    ] as const) {
      const image = {
        width,
        height,
        channels: 3,
        depth: 8,
        data: new Uint8Array(width * height * 3).fill(200),
      } as const;
      const result = await decodeImage((await encode(image, format)).file, LIMITS);
      expect(difference(result.image, image).max).toBeLessThanOrEqual(2);
    }
  });

  it.each(FORMATS)('keeps profile, EXIF with GPS, XMP and density of a photo in %s', async (format) => {
    const source = await decodeImage(await cameraFile(), LIMITS);
    expect(source.metadata).toMatchObject({ format: 'jpeg', density: { x: 300, y: 300, unit: 'inch' } });
    const { file, warnings } = await encode(source.image, format, { metadata: source.metadata });
    const kept = (await decodeImage(file, LIMITS)).metadata;
    expect(source.metadata.icc?.length).toBeGreaterThan(400);
    expect(kept.icc).toEqual(source.metadata.icc);
    expect(described(kept.exif)).toEqual(described(source.metadata.exif));
    expect(JSON.stringify(described(kept.exif))).toContain(Buffer.from('2024:01:02').toString('hex'));
    expect(kept.xmp).toEqual(source.metadata.xmp);
    const same = { x: expect.closeTo(300, 2), y: expect.closeTo(300, 2), unit: 'inch' };
    expect(kept.density).toEqual(format === 'webp' || format === 'avif' ? undefined : same);
    expect(warnings).toEqual([]);
  });

  it.each(FORMATS)('writes no metadata in %s where none is given, but the profile if that is', async (format) => {
    const { metadata } = await decodeImage(await cameraFile(), LIMITS);
    const bare = await decodeImage((await encode(picture, format)).file, LIMITS);
    expect(bare.metadata).toMatchObject({ icc: undefined, exif: undefined, xmp: undefined, pngChunks: undefined });
    const colored = await decodeImage(
      (await encode(picture, format, { metadata: colorsAlone(metadata) })).file,
      LIMITS,
    );
    expect(colored.metadata).toMatchObject({ icc: metadata.icc, exif: undefined, xmp: undefined });
  });

  const text = (keyword: string, value: string) => makePngChunk('tEXt', Buffer.from(`${keyword}\0${value}`, 'latin1'));

  it('writes the texts of a PNG byte for byte, in their order, after its header', async () => {
    const pngChunks = [
      text('parameters', 'a caf\xe9, Steps: 20'),
      text('workflow', '{"nodes":[]}'),
      makePngChunk('zTXt', Buffer.concat([Buffer.from('z\0\0'), deflateSync('packed')])),
    ];
    const { file, bytes } = await encode(picture, 'png', { metadata: { format: 'png', pngChunks } });
    expect(bytes.subarray(33, 33 + Buffer.concat(pngChunks).length).equals(Buffer.concat(pngChunks))).toBe(true);
    expect((await decodeImage(file, LIMITS)).metadata.pngChunks).toEqual(
      pngChunks.map((chunk) => Uint8Array.from(chunk)),
    );
    expect(difference(readPng(bytes), picture).max).toBe(0);
    expect((await sharp(bytes).metadata()).comments).toContainEqual({
      keyword: 'parameters',
      text: expect.stringContaining('Steps: 20'),
    });
  });

  it.each(['jpeg', 'webp', 'avif', 'tiff'] as const)(
    'writes the text parameters as a user comment in %s',
    async (format) => {
      const metadata = { format: 'png', pngChunks: [text('parameters', 'a cat')] } as const;
      const { file } = await encode(picture, format, { metadata });
      const { exif } = (await decodeImage(file, LIMITS)).metadata;
      expect(exif && hasUserComment(exif)).toBe(true);
      expect(readFileSync(file).includes(Buffer.from('a cat', 'utf16le').swap16())).toBe(true);
    },
  );

  it('keeps gamma and cICP of a PNG that has no profile', async () => {
    const pngChunks = [
      makePngChunk('gAMA', Buffer.from([0, 1, 0x86, 0xa0])),
      makePngChunk('cICP', Buffer.from([9, 16, 0, 1])),
    ];
    const { bytes } = await encode(picture, 'png', { metadata: { format: 'png', pngChunks } });
    expect(
      readPngChunks(bytes)
        .slice(0, 3)
        .map(({ type }) => type),
    ).toEqual(['IHDR', 'gAMA', 'cICP']);
  });

  it('keeps a profile of gray in what can hold it, and converts by it for what cannot', async () => {
    const gray = gradient({ width: 60, height: 40, channels: 1, depth: 8 });
    const icc = linearGrayProfile();
    for (const format of ['png', 'jpeg', 'tiff'] as const) {
      const { image, metadata } = await decodeImage(
        (await encode(gray, format, { metadata: { format: 'png', icc } })).file,
        LIMITS,
      );
      expect([image.channels, metadata.icc]).toEqual([1, Uint8Array.from(icc)]);
      expect(difference(image, gray).max).toBeLessThanOrEqual(format === 'jpeg' ? 3 : 0);
    }
    const { image, metadata } = await decodeImage(
      (await encode(gray, 'webp', { metadata: { format: 'png', icc }, quality: 100 })).file,
      LIMITS,
    );
    expect([image.channels, metadata.icc]).toEqual([3, undefined]);
    const middle = (20 * 60 + 30) * 3;
    expect(image.data[middle]).toBeGreaterThan(170); // linear 0.5 is 188 in sRGB
  });

  it.each([1, 2] as const)('converts gray of 16 bits as it does that of 8, %d channels', async (channels) => {
    const metadata: ImageMetadata = { format: 'png', icc: linearGrayProfile() };
    const gray = gradient({ width: 60, height: 40, channels, depth: 8 });
    const fine: Image = { ...gray, depth: 16, data: Uint16Array.from(gray.data, (level) => level * 257) };
    for (const format of ['webp', 'avif'] as const) {
      const expected = await decodeImage((await encode(gray, format, { metadata, quality: 100 })).file, LIMITS);
      const { file, warnings } = await encode(fine, format, { metadata, quality: 100 });
      expect((await decodeImage(file, LIMITS)).image).toEqual(expected.image);
      expect(warnings).toEqual([`16 bits are reduced to 8 in ${format.toUpperCase()}`]);
    }
  });

  it('lays transparency on white in JPEG, at 16 bits too, and says so', async () => {
    for (const depth of [8, 16] as const) {
      const clear = { ...noise({ width: 16, height: 16, channels: 4, depth }) };
      clear.data.forEach((_, i) => i % 4 === 3 && (clear.data[i] = 0));
      const { file, warnings } = await encode(clear, 'jpeg');
      const { image } = await decodeImage(file, LIMITS);
      expect([image.channels, Math.min(...image.data)]).toEqual([3, 255]);
      expect(warnings[0]).toBe('JPEG has no transparency: the image is laid on white');
    }
  });

  it('keeps 10 of 16 bits in AVIF, and says so', async () => {
    const deep = gradient({ width: 60, height: 40, channels: 3, depth: 16 });
    const { file, warnings } = await encode(deep, 'avif', { lossless: true });
    const { image } = await decodeImage(file, LIMITS);
    expect(image.depth).toBe(16);
    expect(difference(image, deep).max).toBeLessThanOrEqual(64);
    expect(warnings).toEqual(['16 bits are reduced to 10 in AVIF']);
  });

  it.each(['jpeg', 'webp'] as const)('reduces 16 bits to 8 in %s, and says so', async (format) => {
    const deep = gradient({ width: 60, height: 40, channels: 3, depth: 16 });
    const { file, warnings } = await encode(deep, format);
    const { image } = await decodeImage(file, LIMITS);
    const expected = { ...deep, depth: 8 as const, data: Uint8Array.from(deep.data, (sample) => sample >> 8) };
    expect(difference(image, expected).mean).toBeLessThan(3);
    expect(warnings).toEqual([`16 bits are reduced to 8 in ${format.toUpperCase()}`]);
  });

  it.each(FORMATS)('writes the same bytes for the same image in %s', async (format) => {
    const { metadata } = await decodeImage(await cameraFile(), LIMITS);
    const first = await encode(picture, format, { metadata });
    const second = await encode(picture, format, { metadata });
    expect(first.bytes.equals(second.bytes)).toBe(true);
  });

  it.each(['jpeg', 'webp', 'avif'] as const)('follows the quality asked for in %s', async (format) => {
    const busy = noise({ width: 60, height: 40, channels: 3, depth: 8 });
    const [low, high] = [await encode(busy, format, { quality: 20 }), await encode(busy, format, { quality: 95 })];
    expect(low.bytes.length).toBeLessThan(high.bytes.length * 0.6);
  });

  it('keeps chroma whole in JPEG', async () => {
    const { bytes } = await encode(picture, 'jpeg');
    expect((await sharp(bytes).metadata()).chromaSubsampling).toBe('4:4:4');
  });

  it('leaves nothing but the result, and nothing at all when it fails', async () => {
    await encode(picture, 'png', { metadata: { format: 'png', pngChunks: [text('a', 'b')] } });
    expect(readdirSync(folder.path)).toEqual(['result.png']);
    const scratch = ScratchImage.create(folder.path, picture);
    scratch.writeRows(picture.data);
    const taken = join(folder.path, 'taken.jpeg');
    mkdirSync(taken);
    await expect(encodeImage(scratch, taken, { format: 'jpeg' })).rejects.toThrow(OutputFormatError);
    const missing = join(folder.path, 'missing', 'a.jpeg');
    const failure = await encodeImage(scratch, missing, { format: 'jpeg' }).catch(String);
    expect(failure).toContain('the result could not be written as JPEG');
    expect(failure).not.toContain(folder.path);
    scratch.dispose();
    expect(readdirSync(folder.path).sort()).toEqual(['result.png', 'taken.jpeg']);
  });

  it.each(['jpeg', 'webp', 'avif'] as const)(
    'writes %s up to the longest side that is told, and no longer',
    async (format) => {
      const width = traitsOf(format).longestSide;
      const write = (longer: number, to: string): Promise<unknown> =>
        sharp({ create: { width: width + longer, height: 1, channels: 3, background: 'teal' } })
          .toFormat(format)
          .toFile(join(folder.path, to));
      await expect(write(0, 'fits')).resolves.toMatchObject({ width });
      await expect(write(1, 'long')).rejects.toThrow(/dimension|too large/);
    },
  );

  it('says which formats hold an image whose side is too long', async () => {
    const scratch = ScratchImage.create(folder.path, { width: 16_384, height: 1, channels: 3, depth: 8 });
    await expect(encodeImage(scratch, join(folder.path, 'a.webp'), { format: 'webp' })).rejects.toThrow(
      'the result is 16384x1, WEBP holds sides of at most 16383; ask for png or tiff, or a smaller size',
    );
    scratch.dispose();
  });

  const disk = mountSmallDisk(2 << 20);
  (disk ? it : it.skip)('says that the disk is full (needs root, to mount a small one)', async () => {
    try {
      const large = noise({ width: 1200, height: 1000, channels: 3, depth: 8 });
      const scratch = ScratchImage.create(folder.path, large);
      scratch.writeRows(large.data);
      const target = join(disk?.directory ?? '', 'a.png');
      await expect(encodeImage(scratch, target, { format: 'png' })).rejects.toThrow(ScratchSpaceError);
      expect(readdirSync(disk?.directory ?? '')).toEqual([]);
      scratch.dispose();
    } finally {
      disk?.unmount();
    }
  });
});

/** The smallest ICC profile of gray: a white point and a linear curve. */
function linearGrayProfile(): Buffer {
  const header = Buffer.alloc(128);
  header.write('lcms', 4, 'latin1');
  header.writeUInt32BE(0x02400000, 8);
  header.write('mntrGRAYXYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  const d50 = [0xf6d6, 0x10000, 0xd32d];
  d50.forEach((value, i) => header.writeUInt32BE(value, 68 + i * 4));
  const white = Buffer.alloc(20);
  white.write('XYZ ', 0, 'latin1');
  d50.forEach((value, i) => white.writeUInt32BE(value, 8 + i * 4));
  const curve = Buffer.from('curv\0\0\0\0\0\0\0\0', 'latin1');
  const text = Buffer.from('desc\0\0\0\0\0\0\0\x05gray\0'.padEnd(96, '\0'), 'latin1');
  const tags: [string, Buffer][] = [
    ['desc', text],
    ['wtpt', white],
    ['kTRC', curve],
  ];
  const table = Buffer.alloc(4 + tags.length * 12);
  table.writeUInt32BE(tags.length);
  let offset = 128 + table.length;
  tags.forEach(([name, data], i) => {
    table.write(name, 4 + i * 12, 'latin1');
    table.writeUInt32BE(offset, 8 + i * 12);
    table.writeUInt32BE(data.length, 12 + i * 12);
    offset += data.length;
  });
  const profile = Buffer.concat([header, table, ...tags.map(([, data]) => data)]);
  profile.writeUInt32BE(profile.length);
  return profile;
}
