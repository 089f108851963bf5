import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage, encodeImage } from '../../../../app/imaging/codec/codec.ts';
import { editFile } from '../../../../app/imaging/codec/file-edits.ts';
import { tiffEdits } from '../../../../app/imaging/codec/metadata/embed-metadata.ts';
import { readUserComment } from '../../../../app/imaging/codec/exif/exif.ts';
import { withExifSize } from '../../../../app/imaging/codec/exif/exif-size.ts';
import { writeTiff } from '../../../../app/imaging/codec/exif/exif-tree.ts';
import { iptcOfTiffFile } from '../../../../app/imaging/codec/exif/iptc.ts';
import type { ImageMetadata } from '../../../../app/imaging/codec/metadata/metadata.ts';
import { densityOf } from '../../../../app/imaging/codec/metadata/density.ts';
import { colorsAlone } from '../../../../app/imaging/codec/metadata/metadata.ts';
import { outputMetadata } from '../../../../app/imaging/codec/metadata/output-metadata.ts';
import { makePngChunk, makeXmpChunk, readPngChunk } from '../../../../app/imaging/codec/png-chunks.ts';
import { withoutCompanions, withXmpSize } from '../../../../app/imaging/codec/exif/xmp-edits.ts';
import { gradient } from '../../../support/images/images.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import type { OutputFormat } from '../../../../app/options/output-formats.ts';
import { rowsInto } from '../../../../app/imaging/rows-into.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { tinyPng } from '../../../support/images/hostile-images.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';

const LIMITS = { maxPixels: 10_000 };
const RESULT = { width: 70_000, height: 128, channels: 3, depth: 8 } as const;

function entry(tag: number, type: 3 | 4, value: number) {
  const bytes = Buffer.alloc(type === 3 ? 2 : 4);
  bytes.writeUIntLE(value, 0, bytes.length);
  return { tag, type, count: 1, value: new Uint8Array(bytes) };
}

function jpegWith(...segments: readonly (readonly [marker: number, data: string])[]): Promise<Buffer> {
  const inserted = segments.map(([marker, text]) => {
    const data = Buffer.from(text, 'latin1');
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  });
  const picture = sharp({ create: { width: 9, height: 5, channels: 3, background: 'red' } });
  return picture
    .jpeg()
    .toBuffer()
    .then((file) => Buffer.concat([file.subarray(0, 2), ...inserted, file.subarray(2)]));
}

async function warningsOf(
  ...segments: readonly (readonly [marker: number, data: string])[]
): Promise<readonly string[]> {
  return (await decodeImage(await jpegWith(...segments), LIMITS)).warnings;
}

describe('EXIF of a result', () => {
  it('says the size of the result, in the type that holds it, and only where it said one', () => {
    const exif = writeTiff([
      entry(0x100, 3, 96),
      entry(0x101, 4, 64),
      { ...entry(0x8769, 4, 0), child: [entry(0xa002, 3, 96), entry(0xa003, 3, 64)] },
    ]);
    const sized = writeTiff([
      entry(0x100, 4, 70_000),
      entry(0x101, 4, 128),
      { ...entry(0x8769, 4, 0), child: [entry(0xa002, 4, 70_000), entry(0xa003, 3, 128)] },
    ]);
    expect(Buffer.from(withExifSize(exif, RESULT))).toEqual(Buffer.from(sized));
    expect(outputMetadata(RESULT, 'png', { exif }).exif).toEqual(withExifSize(exif, RESULT));
    const without = writeTiff([entry(0x112, 3, 1)]);
    expect(Buffer.from(withExifSize(without, RESULT))).toEqual(Buffer.from(without));
    expect(withExifSize(Uint8Array.of(1, 2, 3), RESULT)).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('XMP of a result', () => {
  const sized = Buffer.from(
    '<rdf:Description tiff:ImageWidth="96" exif:PixelYDimension = \'64\'><tiff:ImageLength>64</tiff:ImageLength></rdf:Description>',
  );

  it('says the size of the result, as attributes and as elements', () => {
    expect(Buffer.from(withXmpSize(sized, RESULT)).toString()).toBe(
      '<rdf:Description tiff:ImageWidth="70000" exif:PixelYDimension = \'128\'><tiff:ImageLength>128</tiff:ImageLength></rdf:Description>',
    );
  });

  it('does so in the texts of a PNG too, whose chunk stays where it says the same', () => {
    const [told, plain] = [makeXmpChunk(sized), makeXmpChunk(Buffer.from('<x/>'))];
    const result = (chunk: Uint8Array, xmp: Uint8Array) =>
      outputMetadata(RESULT, 'png', { xmp, pngChunks: [chunk] }).pngChunks;
    expect(result(told, sized).map((chunk) => Buffer.from(chunk))).toEqual([
      Buffer.from(makeXmpChunk(withXmpSize(sized, RESULT))),
    ]);
    expect(result(plain, Buffer.from('<x/>'))[0]).toBe(plain);
  });

  it.each([
    [
      'gain map',
      '<rdf:Description hdrgm:Version="1.0" dc:title="t"><Container:Directory><rdf:Seq><rdf:li><Container:Item Item:Semantic="GainMap" Item:Length="1118"/></rdf:li></rdf:Seq></Container:Directory><hdrgm:GainMapMax>3</hdrgm:GainMapMax></rdf:Description>',
    ],
    [
      'motion photo',
      '<rdf:Description GCamera:MotionPhoto="1"\nGCamera:MicroVideoOffset=\'2024\' dc:title="t"></rdf:Description>',
    ],
  ])('says nothing of a %s, which is told', (name, packet) => {
    const { xmp, warnings } = withoutCompanions(Buffer.from(packet));
    expect(Buffer.from(xmp).toString()).toBe('<rdf:Description dc:title="t"></rdf:Description>');
    expect(warnings).toEqual([expect.stringContaining(name)]);
  });

  it.each([
    '<rdf:Description xmpNote:HasExtendedXMP="0123" dc:title="t"/>',
    '<rdf:Description dc:title="t"><xmpNote:HasExtendedXMP>01</xmpNote:HasExtendedXMP></rdf:Description>',
  ])('says nothing of more of it in further segments of a JPEG, which is told: %s', async (packet) => {
    const [first, further] = ['http://ns.adobe.com/xap/1.0/', 'http://ns.adobe.com/xmp/extension/'];
    const more = [0xe1, `${further}\0${'0'.repeat(40)}<x/>`] as const;
    const file = await jpegWith([0xe1, `${first}\0${packet}`], more, more);
    const { metadata, warnings } = await decodeImage(file, LIMITS);
    expect(Buffer.from(metadata.xmp ?? []).toString()).toMatch(
      /^<rdf:Description dc:title="t"(\/>|><\/rdf:Description>)$/,
    );
    const left = 'XMP beyond the first segment of it in the file (extended XMP) is left out';
    expect([warnings, metadata.leftOut]).toEqual([[], [left]]);
  });

  it('that is not closed, or speaks of none, stays', () => {
    for (const packet of ['<hdrgm:Max>3', '<rdf:Description dc:title="GainMap"/>']) {
      expect(Buffer.from(withoutCompanions(Buffer.from(packet)).xmp).toString()).toBe(packet);
    }
  });

  it('is read in time that grows with its length', () => {
    const hostile = Buffer.from(`hdrgm:Version="1"${'<hdrgm:a>'.repeat(100_000)}${' '.repeat(100_000)}`);
    expect(cpuSecondsOf(() => withoutCompanions(hostile))).toBeLessThan(2);
  });
});

describe('The density of a picture', () => {
  const FAX = { x: 204, y: 98, unit: 'inch' } as const;
  const TALL = { x: 2, y: 1, unit: 'none' } as const;
  const kinds = [undefined, FAX, TALL] as const;
  const all = (['png', 'tiff', 'jpeg'] as const).flatMap((format) =>
    kinds.map((density) => [format, density] as const),
  );
  let folder: TemporaryFolder;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  const write = async (format: OutputFormat, metadata: ImageMetadata): Promise<string> => {
    const scratch = rowsInto(rowsOf(gradient({ width: 5, height: 4, channels: 3, depth: 8 })), folder.path);
    const file = join(folder.path, `a.${format}`);
    await encodeImage(scratch, file, { format, metadata });
    return file;
  };

  it.each(all)('is kept in %s by axis, and none is invented: %p', async (format, density) => {
    const file = await write(format, { format: 'png', density });
    const kept = (await decodeImage(file, LIMITS)).metadata.density;
    const near = density && { x: expect.closeTo(density.x, 1), y: expect.closeTo(density.y, 1), unit: density.unit };
    expect(kept).toEqual(near);
  });

  it.each(['png', 'tiff', 'jpeg'] as const)(
    'is none where no picture has it, and a result in %s is written',
    async (format) => {
      for (const [pixels, perUnit] of [
        [2 ** 31 - 1, 1],
        [1, 1],
        [2 ** 32 - 1, 0],
      ] as const) {
        const data = Buffer.alloc(9);
        [pixels, perUnit === 0 ? 1 : pixels].forEach((side, i) => data.writeUInt32BE(side, i * 4));
        data.writeUInt8(perUnit, 8);
        const picture = tinyPng(Buffer.from(makePngChunk('pHYs', data)));
        const { metadata } = await decodeImage(picture, LIMITS);
        const result = await write(format, metadata);
        expect((await decodeImage(result, LIMITS)).metadata.density).toBeUndefined();
      }
    },
  );

  it.each([
    [2.5, 1.25, { x: 2000, y: 1000 }],
    [2 ** 31, 2 ** 30, { x: 2000, y: 1000 }],
    [0.001, 0.002, { x: 1000, y: 2000 }],
  ])('of which the ratio alone is told, %p to %p, is in whole numbers that every format holds', (x, y, expected) => {
    expect(densityOf(x, y, 0)).toEqual({ ...expected, unit: 'none' });
  });

  it('of a BigTIFF is told by axis', async () => {
    const picture = sharp({ create: { width: 9, height: 5, channels: 3, background: 'red' } });
    const big = await picture.tiff({ bigtiff: true, xres: 8, yres: 4 }).toBuffer();
    const density = { x: expect.closeTo(203.2, 1), y: expect.closeTo(101.6, 1), unit: 'inch' };
    expect((await decodeImage(big, LIMITS)).metadata.density).toEqual(density);
  });

  it('is kept in a TIFF beside EXIF', async () => {
    const exif = writeTiff([{ tag: 0x0110, type: 2, count: 5, value: Buffer.from('Make\0') }]);
    for (const density of kinds) {
      const { metadata } = await decodeImage(await write('tiff', { format: 'png', density, exif }), LIMITS);
      expect([metadata.density?.unit, metadata.exif === undefined]).toEqual([density?.unit, false]);
    }
  });

  it('is the same in a PNG with texts', async () => {
    const pngChunks = [makePngChunk('tEXt', Buffer.from('a\0b', 'latin1'))];
    const file = await write('png', { format: 'png', pngChunks });
    expect([...(readPngChunk(readFileSync(file), 'pHYs') ?? [])]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0]);
  });
});

/** Of an odd length, as one keyword and a caption. */
const IPTC = '\x1c\x02\x19\0\x03cat\x1c\x02\x78\0\x02on';
const resource = (id: string, data: string): string =>
  `8BIM${id}\x04name\0\0\0\0${String.fromCharCode(data.length)}${data}${data.length % 2 === 1 ? '\0' : ''}`;
const RESOURCES = `${resource('\x03\xed', '16 bytes of size')}${resource('\x04\x04', IPTC)}`;
const COMMENT = 'made by h\xe4nd';

describe('IPTC and the comment of a JPEG', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  /** What a result in a format keeps of a file, and what is told of it. */
  const kept = async (file: Buffer, format: OutputFormat) => {
    const scratch = rowsInto(rowsOf(gradient({ width: 5, height: 4, channels: 3, depth: 8 })), folder.path);
    const result = join(folder.path, `a.${format}`);
    const { metadata } = await decodeImage(file, LIMITS);
    const warnings = await encodeImage(scratch, result, { format, metadata });
    scratch.dispose();
    const { iptc, comment } = (await decodeImage(result, LIMITS)).metadata;
    const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('latin1');
    return { result, warnings, iptc: text(iptc), comment: text(comment) };
  };
  const NO_COMMENT = 'the comment of the file is left out: only JPEG holds it';
  const NO_IPTC = 'IPTC is left out: only JPEG and TIFF hold it';

  it.each([
    ['jpeg', IPTC, COMMENT, []],
    ['tiff', IPTC, undefined, [NO_COMMENT]],
    ['png', undefined, undefined, [NO_IPTC, NO_COMMENT]],
    ['webp', undefined, undefined, [NO_IPTC, NO_COMMENT]],
    ['avif', undefined, undefined, [NO_IPTC, NO_COMMENT]],
  ] as const)('in a %s are kept byte for byte, or told', async (format, iptc, comment, warnings) => {
    const file = await jpegWith([0xed, `Photoshop 3.0\0${RESOURCES}`], [0xfe, COMMENT]);
    expect(await kept(file, format)).toMatchObject({ iptc, comment, warnings });
  });

  it('are found where Photoshop needs several segments, and go from TIFF to JPEG', async () => {
    const [start, end] = [RESOURCES.slice(0, 60), RESOURCES.slice(60)];
    const file = await jpegWith([0xed, `Photoshop 3.0\0${start}`], [0xed, `Photoshop 3.0\0${end}`]);
    const { result, iptc } = await kept(file, 'tiff');
    expect([iptc, (await kept(readFileSync(result), 'jpeg')).iptc]).toEqual([IPTC, IPTC]);
  });

  it.each([
    ['big-endian', Buffer.from(`${IPTC}\0`, 'latin1')],
    ['big-endian, swapped', Buffer.from(`${IPTC}\0`, 'latin1').swap32()],
  ])('are bytes in a TIFF that calls them LONGs: %s', (_, bytes) => {
    const value = Buffer.from(bytes).swap32(); // values are Intel's, the file is not
    const tiff = writeTiff([{ tag: 33_723, type: 4, count: value.length / 4, value }]);
    expect(Buffer.from(iptcOfTiffFile(tiff) ?? []).toString('latin1')).toBe(`${IPTC}\0`);
  });

  it('go into a BigTIFF and out of it, with EXIF and the density', async () => {
    const result = join(folder.path, 'big.tiff');
    const exif = writeTiff([
      { tag: 0x0110, type: 2, count: 5, value: Buffer.from('Make\0') },
      { ...entry(0x8769, 4, 0), child: [entry(0xa002, 3, 96)] },
    ]);
    const resolution = { xres: 8, yres: 4 };
    await sharp({ create: { width: 9, height: 5, channels: 3, background: 'red' } })
      .tiff({ bigtiff: true, compression: 'lzw', ...resolution })
      .toFile(result);
    const density = densityOf(203.2, 101.6, 1);
    const iptc = Buffer.from(IPTC, 'latin1');
    const said = outputMetadata({ ...RESULT, width: 9 }, 'tiff', { format: 'tiff', exif, iptc, density });
    editFile(result, tiffEdits(result, said));
    const { image, metadata, warnings } = await decodeImage(result, LIMITS);
    expect([readFileSync(result).readUInt16LE(2), image.width, [...image.data.subarray(0, 3)]]).toEqual([
      43,
      9,
      [255, 0, 0],
    ]);
    expect([metadata.exif && Buffer.from(metadata.exif), metadata.iptc]).toEqual([
      said.exif && Buffer.from(said.exif),
      new Uint8Array(iptc),
    ]);
    expect([metadata.density?.unit, warnings]).toEqual(['inch', []]);
    editFile(result, tiffEdits(result, { ...said, density: undefined }));
    expect((await decodeImage(result, LIMITS)).metadata.density?.unit).toBe('none');
  });

  it('are not told of where they are not wanted, and broken ones are none', async () => {
    const large = ['x'.repeat(40_000), `8BIM\x04\x04\0\0\0\x01\0\0${'x'.repeat(40_000)}`].reverse();
    const { metadata, warnings } = await decodeImage(
      await jpegWith(...large.map((data) => [0xed, `Photoshop 3.0\0${data}`] as const), [0xfe, COMMENT]),
      LIMITS,
    );
    expect([warnings, metadata.leftOut]).toEqual([[], ['IPTC of 65536 bytes dropped: at most 65000 are kept']]);
    expect(outputMetadata({ ...RESULT, width: 9 }, 'png', colorsAlone(metadata)).warnings).toEqual([]);
    for (const broken of ['8BIM', '8BIM\x04\x04\0\0\0\0\xff\xffcat', 'cat', '8BIM\x04\x04\xff']) {
      const read = await decodeImage(await jpegWith([0xed, `Photoshop 3.0\0${broken}`]), LIMITS);
      expect(read.metadata.iptc).toBeUndefined();
    }
  });
});

describe('A JPEG', () => {
  it('with a further picture is told that it is left out, once', async () => {
    const further = [0xe2, 'MPF\0MM\0*'] as const;
    expect(await warningsOf(further, further)).toEqual(['the further picture (MPF) of the file is left out']);
  });

  it('without them is told nothing', async () => {
    expect(await warningsOf([0xed, 'Photoshop 3.0\x008BIM\x03\xed'])).toEqual([]);
  });
});

describe('The text `parameters`', () => {
  const packed = deflateSync(Buffer.from('a cat, Steps: 20', 'latin1'));
  it.each([
    ['zTXt', Buffer.concat([Buffer.from('parameters\0\0', 'latin1'), packed])],
    ['iTXt', Buffer.concat([Buffer.from('parameters\0\x01\0\0\0', 'latin1'), packed])],
  ])('is an EXIF comment in JPEG where a %s chunk keeps it packed', async (type, data) => {
    const { metadata } = await decodeImage(tinyPng(Buffer.from(makePngChunk(type, data))), LIMITS);
    const { exif, warnings } = outputMetadata({ ...RESULT, channels: 1 }, 'jpeg', metadata);
    expect(exif && readUserComment(exif)).toBe('a cat, Steps: 20');
    expect(warnings).toEqual([]);
  });
});
