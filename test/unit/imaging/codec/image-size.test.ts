import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Sharp } from 'sharp';
import { sharp } from '../../../../app/imaging/codec/codec-sharp.ts';
import { readImageSize } from '../../../../app/imaging/codec/image-size.ts';
import { pixelBomb } from '../../../support/images/hostile-images.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** Too much for one read of the head: the directory of a TIFF lies behind its pixels. */
const [WIDTH, HEIGHT] = [330, 210];
const picture = (): Sharp => sharp({ create: { width: WIDTH, height: HEIGHT, channels: 4, background: '#08f8' } });

describe('the size that a file tells before it is decoded', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  const sizeOf = async (bytes: Uint8Array) => {
    const file = join(folder.path, 'picture');
    await writeFile(file, bytes);
    return readImageSize(file);
  };

  it.each([
    ['PNG with alpha', true, () => picture().png()],
    ['PNG without', false, () => picture().removeAlpha().png()],
    ['JPEG', false, () => picture().jpeg()],
    [
      'JPEG with a large profile',
      false,
      () =>
        picture()
          .withExifMerge({ IFD0: { Copyright: 'c'.repeat(60_000) } })
          .jpeg(),
    ],
    ['GIF', false, () => picture().gif()],
    ['WebP', false, () => picture().webp({ lossless: true })],
    ['TIFF whose directory is at its end', false, () => picture().tiff({ compression: 'none' })],
    ['AVIF', false, () => picture().avif({ effort: 0 })],
  ] as const)('is that of a %s', async (_name, hasAlpha, encode) => {
    const bytes = await encode().toBuffer();
    expect(await sizeOf(bytes)).toEqual({ width: WIDTH, height: HEIGHT, hasAlpha });
  });

  it('is that of a JPEG whose frame lies behind a megabyte of segments, fill bytes among them', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const segment = Buffer.concat([Buffer.from('ffffffed', 'hex'), Buffer.from([0xff, 0xf0]), Buffer.alloc(0xffee)]);
    const bytes = Buffer.concat([jpeg.subarray(0, 2), ...Array.from({ length: 16 }, () => segment), jpeg.subarray(2)]);
    expect(await sizeOf(bytes)).toEqual({ width: WIDTH, height: HEIGHT, hasAlpha: false });
  });

  it('is told of a file that is little more than its header', async () => {
    expect(await sizeOf(pixelBomb())).toEqual({ width: 40_000, height: 40_000, hasAlpha: false });
  });

  it('is not told of what is no picture, or ends or goes astray before it says', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const endless = Buffer.concat([jpeg.subarray(0, 2), Buffer.from('ffe10002'.repeat(2000), 'hex'), jpeg.subarray(2)]);
    const files = [
      Buffer.alloc(0),
      Buffer.from('a text'),
      jpeg.subarray(0, 30),
      endless,
      Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(100)]),
      (await picture().png().toBuffer()).subarray(0, 20),
      Buffer.from('II*\0\xff\xff\xff\x7f', 'latin1'),
      Buffer.from('II*\0\x08\0\0\0\xff\xff', 'latin1'),
    ];
    for (const bytes of files) expect(await sizeOf(bytes)).toBeUndefined();
  });
});
