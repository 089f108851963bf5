import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { EncodeOptions } from '../../../../app/imaging/codec/codec.ts';
import { decodeImage, encodeImage } from '../../../../app/imaging/codec/codec.ts';
import type { Image } from '../../../../app/imaging/image.ts';
import { rowsOf } from '../../../../app/imaging/rows.ts';
import { rowsInto } from '../../../../app/imaging/rows-into.ts';
import { difference, noise } from '../../../support/images/images.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const LIMITS = { maxPixels: 10_000 };
const BUSY = noise({ width: 40, height: 30, channels: 3, depth: 8 });
const SPRITE = noise({ width: 40, height: 30, channels: 4, depth: 8 });

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

function file({ data, width, height, channels }: Image, format: 'webp' | 'avif', lossless: boolean): Promise<Buffer> {
  const image = sharp(data, { raw: { width, height, channels } });
  return (format === 'webp' ? image.webp({ lossless, exact: true }) : image.avif({ lossless, effort: 0 })).toBuffer();
}

/** What comes back of a file's own pixels, written in a format, and whether that file is lossless. */
async function rewritten(bytes: Buffer, options: EncodeOptions): Promise<{ image: Image; isLossless: boolean }> {
  const source = await decodeImage(bytes, LIMITS);
  const scratch = rowsInto(rowsOf(source.image), folder.path);
  const target = join(folder.path, `result.${options.format}`);
  await encodeImage(scratch, target, { isSourceLossless: source.isLossless, metadata: source.metadata, ...options });
  scratch.dispose();
  return decodeImage(readFileSync(target), LIMITS);
}

describe.each(['webp', 'avif'] as const)('%s', (format) => {
  it.each([
    ['colours', BUSY],
    ['transparency', SPRITE],
  ])('that is lossless stays so, with %s', async (_name, image) => {
    const result = await rewritten(await file(image, format, true), { format });
    expect(result.isLossless).toBe(true);
    expect(difference(result.image, image).max).toBe(0);
  });

  it('that is lossless may lose something where a quality or lossless=false says so', async () => {
    const bytes = await file(BUSY, format, true);
    for (const options of [{ quality: 60 }, { lossless: false }]) {
      const result = await rewritten(bytes, { format, ...options });
      expect(result.isLossless).toBe(false);
      expect(difference(result.image, BUSY).max).toBeGreaterThan(0);
    }
  });

  it('that loses something is lossless where lossless=true or quality 100 says so', async () => {
    const bytes = await file(BUSY, format, false);
    const { image } = await decodeImage(bytes, LIMITS);
    expect((await rewritten(bytes, { format })).isLossless).toBe(false);
    for (const options of [{ quality: 100 }, { lossless: true, quality: 50 }]) {
      const result = await rewritten(bytes, { format, ...options });
      expect(result.isLossless).toBe(true);
      expect(difference(result.image, image).max).toBe(0);
    }
  });
});

describe('A lossless WebP', () => {
  it('keeps its transparency, with EXIF behind it and without', async () => {
    const bytes = await file(SPRITE, 'webp', true);
    const exif = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x31\0\x02\0\0\0\x04abc\0\0\0\0\0', 'latin1');
    for (const metadata of [{ format: 'webp', exif }, { format: 'webp' }] as const) {
      const { image } = await rewritten(bytes, { format: 'webp', metadata });
      expect(difference(image, SPRITE).max).toBe(0);
    }
  });

  it('is known among chunks and in an animation', async () => {
    const raw = { width: 40, height: 30, channels: 3, pageHeight: 15 } as const;
    const moving = await sharp(BUSY.data, { raw }).webp({ lossless: true }).toBuffer();
    const described = await sharp(BUSY.data, { raw: { width: 40, height: 30, channels: 3 } })
      .withExif({ IFD0: { Software: 'x' } })
      .webp({ lossless: true })
      .toBuffer();
    for (const bytes of [moving, described]) expect((await decodeImage(bytes, LIMITS)).isLossless).toBe(true);
  });
});

describe('A lossless AVIF', () => {
  it('tells its colours by the codes that its source had', async () => {
    const color = { kind: 'codes', primaries: 12, transfer: 13 } as const;
    const bytes = await file(BUSY, 'avif', true);
    const target = join(folder.path, 'p3.avif');
    const scratch = rowsInto(rowsOf((await decodeImage(bytes, LIMITS)).image), folder.path);
    await encodeImage(scratch, target, { format: 'avif', lossless: true, metadata: { format: 'avif', color } });
    scratch.dispose();
    const result = await decodeImage(readFileSync(target), LIMITS);
    expect(result.metadata.color).toMatchObject({ primaries: 12, transfer: 13 });
    expect(difference(result.image, BUSY).max).toBe(0);
  });
});
