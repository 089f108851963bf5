import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decodeImage, describeImage } from '../../../../app/imaging/codec/codec.ts';
import { HiresFixError } from '../../../../app/errors.ts';
import { difference } from '../../../support/images/images.ts';
import { readPng } from '../../../support/images/png.ts';

const FOLDER = new URL('../../../fixtures/imaging/heic/', import.meta.url);
const LIMITS = { maxPixels: 1e6, name: 'input' };
const bytesOf = (name: string): Buffer => readFileSync(new URL(name, FOLDER));

// Expected are the pixels that pillow-heif gives.
describe('Decoding HEIC', () => {
  it.each(['color', 'alpha', 'turned', 'two'])('gives the pixels of the reference: %s', async (name) => {
    const { image, metadata } = await decodeImage(bytesOf(`${name}.heic`), LIMITS);
    const expected = readPng(bytesOf(`${name}.png`));
    expect([image.width, image.height, image.channels]).toEqual([expected.width, expected.height, expected.channels]);
    expect(difference(image, expected).max).toBeLessThanOrEqual(2);
    expect(metadata.format).toBe('heic');
  });

  it('keeps gray gray', async () => {
    const { image } = await decodeImage(bytesOf('gray.heic'), LIMITS);
    const expected = readPng(bytesOf('gray.png'));
    const { data } = expected;
    const first = { ...expected, channels: 1 as const, data: data.filter((_, i) => i % expected.channels === 0) };
    expect(difference(image, first).max).toBeLessThanOrEqual(2);
  });

  it('stretches gray that the file says to be in the range of video', async () => {
    const file = Buffer.from(bytesOf('gray.heic'));
    const full = (await decodeImage(file, LIMITS)).image.data;
    file.writeUInt8(0, file.indexOf('nclx') + 10);
    const { image } = await decodeImage(file, LIMITS);
    expect(image.data).toEqual(full.map((level) => Math.min(Math.max(Math.round(((level - 16) * 255) / 219), 0), 255)));
  });

  it('keeps the profile and EXIF of a picture that the file turns, and turns it once', async () => {
    const { metadata } = await decodeImage(bytesOf('turned.heic'), LIMITS);
    expect(metadata.icc?.length).toBeGreaterThan(100);
    expect(Buffer.from(metadata.exif ?? []).toString('latin1')).toContain('a test');
  });

  it('says what of the file it leaves out', async () => {
    expect((await decodeImage(bytesOf('two.heic'), LIMITS)).warnings).toEqual([
      'the file has 2 frames or pages; only the first is used',
    ]);
    const { image, warnings } = await decodeImage(bytesOf('ten-bits.heic'), LIMITS);
    expect([image.depth, warnings]).toEqual([8, ['the picture is coded in 10 bits; the decoder of HEIC gives 8']]);
  });

  it.each(['color', 'alpha', 'turned', 'gray', 'two', 'ten-bits'])(
    'tells the shape before it decodes: %s',
    async (name) => {
      const path = new URL(`${name}.heic`, FOLDER).pathname;
      const { width, height, channels, depth } = (await decodeImage(path, LIMITS)).image;
      expect((await describeImage(path, LIMITS)).shape).toEqual({ width, height, channels, depth });
    },
  );

  it('refuses a picture that is drawn in another size than the file says', async () => {
    const file = Buffer.from(bytesOf('multiplied.heic'));
    const shown = file.indexOf('clap'); // which part of what is coded
    file.writeUInt8(0xf7, shown + 20);
    await expect(decodeImage(file, LIMITS)).rejects.toThrow('input: expected a whole HEIC image, but it is damaged');
    file.writeUInt32BE(1 << 20, shown + 4);
    file.writeUInt32BE(1 << 20, shown + 12);
    await expect(decodeImage(file, LIMITS)).rejects.toThrow(HiresFixError); // before room for its pixels is made
  });

  it('refuses what is too large by its header, and what ends early', async () => {
    await expect(decodeImage(bytesOf('color.heic'), { ...LIMITS, maxPixels: 100 })).rejects.toThrow(
      'input: 64x64 is 4096 pixels', // as it is coded: in whole blocks, of which a part is shown
    );
    const cut = bytesOf('color.heic').subarray(0, 600);
    await expect(decodeImage(cut, LIMITS)).rejects.toThrow('input: the file ends early: 600 bytes came');
  });
});
