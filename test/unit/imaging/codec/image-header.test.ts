import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import { readImageHeader } from '../../../../app/imaging/codec/image-header.ts';
import { extentOf, itemsOf } from '../../../../app/imaging/codec/media-boxes.ts';
import { prepareFile } from '../../../../app/imaging/codec/prepare-file.ts';

const picture = () => sharp({ create: { width: 70, height: 30, channels: 4, background: '#08f8' } });
const size = { width: 70, height: 30 };

/** An ISO base media box. */
function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + Buffer.concat(content).length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

describe('Reading the headers of images', () => {
  it.each([
    ['GIF', 'gif', () => picture().gif()],
    ['lossy WebP', 'webp', () => picture().removeAlpha().webp()],
    ['lossless WebP', 'webp', () => picture().removeAlpha().webp({ lossless: true })],
    ['extended WebP', 'webp', () => picture().webp()],
    ['TIFF', 'tiff', () => picture().tiff()],
    ['AVIF', 'avif', () => picture().avif({ effort: 0 })],
  ] as const)('finds the size of a %s file', async (_, format, make) => {
    const file = await make().toBuffer();
    const header = readImageHeader(file, format);
    expect(header.size).toEqual(size);
    expect(header.refusal).toBeUndefined();
    if (header.declaredLength !== undefined) expect(header.declaredLength).toBe(file.length);
  });

  it('reads a big-endian TIFF whose sides are shorts', () => {
    const entry = (tag: number, value: number) => {
      const bytes = Buffer.alloc(12);
      bytes.writeUInt16BE(tag, 0);
      bytes.writeUInt16BE(3, 2);
      bytes.writeUInt32BE(1, 4);
      bytes.writeUInt16BE(value, 8);
      return bytes;
    };
    const file = Buffer.concat([
      Buffer.from('MM\0*\0\0\0\x08\0\x02', 'latin1'),
      entry(256, 70),
      entry(257, 30),
      Buffer.alloc(4),
    ]);
    expect(readImageHeader(file, 'tiff').size).toEqual(size);
  });

  it('finds the size of a BigTIFF', async () => {
    const big = await picture().tiff({ bigtiff: true }).toBuffer();
    expect(readImageHeader(big, 'tiff').size).toEqual(size);
  });

  it('leaves the size of cut headers to the decoder', () => {
    expect(readImageHeader(Buffer.from('GIF89a'), 'gif').size).toBeUndefined();
    expect(readImageHeader(Buffer.from('RIFF'), 'webp').size).toBeUndefined();
    expect(readImageHeader(Buffer.from('RIFF\0\0\0\0WEBPJUNK'.padEnd(40)), 'webp').size).toBeUndefined();
  });

  it('finds the largest image of an AVIF grid, and sees a sequence', () => {
    const extent = (width: number, height: number) => {
      const content = Buffer.alloc(12);
      content.writeUInt32BE(width, 4);
      content.writeUInt32BE(height, 8);
      return box('ispe', content);
    };
    const file = Buffer.concat([
      box('ftyp', Buffer.from('avif\0\0\0\0')),
      box(
        'meta',
        Buffer.alloc(4),
        box('iprp', box('ipco', extent(512, 512), extent(40_000, 30_000), extent(160, 120))),
      ),
    ]);
    expect(readImageHeader(file, 'avif').size).toEqual({ width: 40_000, height: 30_000 });
    const sequence = readFileSync(new URL('../../../fixtures/imaging/sequence.avif', import.meta.url));
    expect(readImageHeader(sequence, 'avif')).toMatchObject({ isSequence: true, size: { width: 24, height: 16 } });
  });

  it('refuses AVIF metadata that is compressed', () => {
    const item = Buffer.concat([
      Buffer.from([2, 0, 0, 0, 0, 3, 0, 0]),
      Buffer.from('mimexmp\0application/rdf+xml\0deflate\0', 'latin1'),
    ]);
    const count = Buffer.from([0, 0, 0, 0, 0, 1]);
    const file = Buffer.concat([
      box('ftyp', Buffer.from('avif\0\0\0\0')),
      box('meta', Buffer.alloc(4), box('iinf', count, box('infe', item))),
    ]);
    expect(readImageHeader(file, 'avif').refusal).toBe(
      'expected a picture whose metadata is not compressed, got one whose is',
    );
  });

  it('finds items and their places in a file of libheif', async () => {
    const file = await picture()
      .withExif({ IFD0: { Copyright: 'nobody' } })
      .avif({ effort: 0 })
      .toBuffer();
    const exif = itemsOf(file).find(({ type }) => type === 'Exif');
    const place = extentOf(file, exif?.id ?? -1);
    expect(file.toString('latin1', (place?.offset ?? 0) + 4, (place?.offset ?? 0) + 8)).toBe('Exif');
    expect(file.subarray(place?.offset, (place?.offset ?? 0) + (place?.length ?? 0)).includes('nobody')).toBe(true);
    expect(extentOf(file, 99)).toBeUndefined();
  });

  it.each([
    ['text', Buffer.from('by a camera that writes this')],
    ['bytes of 255', Buffer.alloc(64, 0xff)],
    ['zeros', Buffer.alloc(64)],
    ['a few bytes', Buffer.from('abc')],
    ['a box of its own, cut', Buffer.from('\0\0\x10\0sefd the rest', 'latin1')],
  ])('knows AVIF and HEIC to be whole with %s behind them, and not to be without their last byte', (_, behind) => {
    for (const name of ['told-colors/multiplied.avif', 'imaging/heic/color.heic']) {
      const file = readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url));
      expect(prepareFile(Buffer.concat([file, behind]), 'avif', name).endsEarly).toBe(false);
      expect(prepareFile(file.subarray(0, -1), 'avif', name).endsEarly).toBe(true);
    }
  });

  it('survives boxes that lie about their sizes', async () => {
    const file = await picture().avif({ effort: 0 }).toBuffer();
    for (let at = 0; at < 300; at++) {
      const bent = Buffer.from(file);
      bent[at] = 0xff;
      expect(() => readImageHeader(bent, 'avif')).not.toThrow();
      expect(() => readImageHeader(file.subarray(0, at), 'avif')).not.toThrow();
    }
  });
});
