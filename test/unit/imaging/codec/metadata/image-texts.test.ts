import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { withUserComment } from '../../../../../app/imaging/codec/exif/exif.ts';
import { readImageTexts, withTexts } from '../../../../../app/imaging/codec/metadata/image-texts.ts';
import { metadataBomb } from '../../../../support/images/hostile-images.ts';
import { joinPng, readPngChunks } from '../../../../support/images/png.ts';

const plain = (): Promise<Buffer> =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();

async function pngWith(type: string, data: Buffer): Promise<Buffer> {
  const [header, ...others] = readPngChunks(await plain());
  if (!header) throw new Error('a PNG begins with a header');
  return joinPng([header, { type, data }, ...others]);
}

/** A JPEG with an EXIF segment right after its beginning. */
async function jpegWith(exif: Uint8Array): Promise<Buffer> {
  const jpeg = await sharp(await plain())
    .jpeg()
    .toBuffer();
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 8, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from('Exif\0\0', 'latin1'), exif, jpeg.subarray(2)]);
}

describe('readImageTexts', () => {
  it.each([
    ['tEXt', Buffer.from('parameters\0größer', 'latin1')],
    ['zTXt', Buffer.concat([Buffer.from('parameters\0\0', 'latin1'), deflateSync(Buffer.from('größer', 'latin1'))])],
    ['iTXt', Buffer.concat([Buffer.from('parameters\0\0\0de\0\0', 'latin1'), Buffer.from('größer')])],
    ['iTXt', Buffer.concat([Buffer.from('parameters\0\u0001\0de\0\0', 'latin1'), deflateSync(Buffer.from('größer'))])],
  ])('reads a text of a PNG (%s)', async (type, data) => {
    const { texts } = readImageTexts(await pngWith(type, data), 'a.png');
    expect([...texts]).toEqual([['parameters', 'größer']]);
  });

  it('reads the comment of JPEG, WebP and PNG', async () => {
    const exif = withUserComment(undefined, 'steps: 日本');
    const jpeg = await jpegWith(exif);
    const webp = await sharp(jpeg).keepExif().webp().toBuffer();
    for (const file of [jpeg, webp, await pngWith('eXIf', Buffer.from(exif))]) {
      expect(readImageTexts(file, 'a').comment).toBe('steps: 日本');
    }
  });

  it('finds the comment of a JPEG wherever its pixels and orientation are read: behind stray bytes too', async () => {
    const jpeg = await jpegWith(withUserComment(undefined, 'steps: 3'));
    const stray = Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.from('\xff\xfe\0\u0003cjunk', 'latin1'),
      jpeg.subarray(2),
    ]);
    expect(readImageTexts(stray, 'a.jpg').comment).toBe('steps: 3');
    expect(() => readImageTexts(jpeg.subarray(0, 40), 'a.jpg')).toThrow('a.jpg: the file ends early');
  });

  it('has nothing to say of an image that says nothing, and refuses what is none', async () => {
    expect(readImageTexts(await plain(), 'a.png')).toEqual({ texts: new Map(), comment: undefined });
    expect(() => readImageTexts(Buffer.from('hello'), 'a.png')).toThrow('a.png');
  });

  it('does not inflate what is out of all proportion', () => {
    const { texts } = readImageTexts(metadataBomb(), 'bomb.png');
    expect(texts.size).toBe(0);
  });
});

describe('withTexts', () => {
  it('adds texts to a PNG and replaces those of the same name; other formats hold none', () => {
    const once = withTexts({ format: 'png' }, 'png', { postprocessing: 'one', author: 'me' });
    const twice = withTexts(once, 'png', { postprocessing: 'größer 日本' });
    const texts = (twice.pngChunks ?? []).map((chunk) => Buffer.from(chunk).toString('utf8', 4, chunk.length - 4));
    expect(texts).toEqual(['tEXtauthor\0me', 'iTXtpostprocessing\0\0\0\0\0größer 日本']);
    expect(withTexts(once, 'webp', { postprocessing: 'two' })).toBe(once);
  });
});
