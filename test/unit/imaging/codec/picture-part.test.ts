import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import { DecodedPictures } from '../../../../app/imaging/codec/decoded-pictures.ts';
import { picturePart } from '../../../../app/imaging/codec/picture-part.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const SIZE = { width: 400, height: 300 };
const PART = { region: { x: 37, y: 21, width: 200, height: 150 }, width: 200 };
const REDUCED = { ...PART, width: 77 };
const EXTRACT = { left: 37, top: 21, width: 200, height: 150 };

interface Kind {
  readonly channels: 1 | 2 | 3 | 4;
  readonly space: 'b-w' | 'grey16' | 'srgb' | 'rgb16';
  readonly icc?: string;
}

describe('a part of a picture', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await folder.remove();
  });

  const pictureFile = async (name: string, { channels, space, icc }: Kind): Promise<string> => {
    const file = join(folder.path, name);
    const picture = sharp(samplesFor(channels, space), { raw: { ...SIZE, channels } }).toColourspace(space);
    await (icc === undefined ? picture : picture.withIccProfile(icc)).png().toFile(file);
    return file;
  };

  it.each<Kind>([
    { channels: 1, space: 'b-w' },
    { channels: 2, space: 'b-w' },
    { channels: 3, space: 'srgb', icc: 'p3' },
    { channels: 4, space: 'srgb' },
    { channels: 2, space: 'grey16' },
    { channels: 3, space: 'rgb16', icc: 'p3' },
    { channels: 4, space: 'rgb16' },
  ])('has its samples, depth and profile, before it is decoded and after: $channels of $space', async (kind) => {
    const decoded = new DecodedPictures({ minBytes: 1, maxBytes: 1e9 });
    const file = await pictureFile('picture.png', kind);
    const first = await picturePart(file, PART, decoded);
    expect(await readdir(folder.path)).toEqual(['picture.png']); // asked for once, nothing is kept
    const whole = sharp(await readFile(file), { ignoreIcc: true });
    expect((await samplesOf(first, kind)).equals(await samplesOf(whole.extract(EXTRACT), kind))).toBe(true);
    const { channels, icc } = await sharp(first).metadata();
    expect([channels, icc?.length]).toEqual([kind.channels, kind.icc === undefined ? undefined : 480]);
    const reduced = await picturePart(file, REDUCED, decoded);
    expect((await readdir(folder.path)).sort()).toEqual(['picture.png', 'picture.png.v']);
    expect((await picturePart(file, PART, decoded)).equals(first)).toBe(true);
    const anew = await picturePart(file, REDUCED, new DecodedPictures({ minBytes: 1, maxBytes: 1e9 }));
    expect(anew.equals(reduced)).toBe(true);
  });

  it('is there too where the decoded file went, was cut off, or is not worth it', async () => {
    const decoded = new DecodedPictures({ minBytes: 1, maxBytes: 1e9 });
    const file = await pictureFile('picture.png', { channels: 3, space: 'srgb' });
    const first = await picturePart(file, PART, decoded);
    await picturePart(file, PART, decoded);
    await rm(`${file}.v`);
    expect((await picturePart(file, PART, decoded)).equals(first)).toBe(true);
    await picturePart(file, PART, decoded);
    await picturePart(file, PART, decoded);
    await truncate(`${file}.v`, 100);
    expect((await picturePart(file, PART, decoded)).equals(first)).toBe(true);
    const choosy = new DecodedPictures({ minBytes: 1e9, maxBytes: 1e9 });
    const small = await pictureFile('small.png', { channels: 3, space: 'srgb' });
    for (let times = 0; times < 3; times++) await picturePart(small, PART, choosy);
    expect(await readdir(folder.path)).not.toContain('small.png.v');
  });

  it('lets what was not asked for the longest go, where room is for two', async () => {
    const decoded = new DecodedPictures({ minBytes: 1, maxBytes: 2.5 * SIZE.width * SIZE.height });
    const files = await Promise.all(
      ['a.png', 'b.png', 'c.png'].map((name) => pictureFile(name, { channels: 1, space: 'b-w' })),
    );
    const twice = files.flatMap((file) => [file, file]);
    await Promise.all(twice.map((file) => picturePart(file, PART, decoded)));
    const kept = (await readdir(folder.path)).filter((name) => name.endsWith('.v')).sort();
    expect(kept).toEqual(['b.png.v', 'c.png.v']);
    await writeFile(join(folder.path, 'a.png'), 'no picture'); // it is read anew
    await expect(picturePart(files[0] ?? '', PART, decoded)).rejects.toThrow();
  });
});

/** A sample of every height, no two beside one another alike. */
function samplesFor(channels: number, space: Kind['space']): Uint8Array | Uint16Array {
  const count = SIZE.width * SIZE.height * channels;
  const samples = space.endsWith('16') ? new Uint16Array(count) : new Uint8Array(count);
  return samples.map((_, index) => (index * 40_503 + (index >> 7) * 12_289) >> 3);
}

/** As they are stored, whatever colours they stand for. */
function samplesOf(picture: Buffer | Sharp, { space }: Kind): Promise<Buffer> {
  const opened = Buffer.isBuffer(picture) ? sharp(picture, { ignoreIcc: true }) : picture;
  return opened
    .toColourspace(space)
    .raw({ depth: space.endsWith('16') ? 'ushort' : 'uchar' })
    .toBuffer();
}
