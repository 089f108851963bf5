import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sharp } from '../../../app/imaging/codec/codec-sharp.ts';
import { ScratchSpaceError } from '../../../app/imaging/errors.ts';
import type { BitDepth, Channels } from '../../../app/imaging/image.ts';
import { ScratchImage } from '../../../app/imaging/scratch-image.ts';
import { noise } from '../../support/images/images.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('A scratch image', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  const kinds = ([8, 16] as const).flatMap((depth) =>
    ([1, 2, 3, 4] as const).map((channels) => [channels, depth] as const),
  );

  it.each(kinds)('with %d channels of %d bits gives back its rows, at any time', (channels, depth) => {
    const image = noise({ width: 7, height: 5, channels, depth });
    const scratch = ScratchImage.create(folder.path, image);
    scratch.writeRows(image.data.subarray(0, 14 * channels));
    expect(scratch.readRows(1, 1)).toEqual(image.data.slice(7 * channels, 14 * channels));
    scratch.writeRows(image.data.subarray(14 * channels));
    expect(scratch.readRows(0, 5)).toEqual(image.data);
    scratch.dispose();
  });

  it.each<[Channels, BitDepth, string]>([
    [1, 8, 'b-w'],
    [2, 8, 'b-w'],
    [3, 8, 'srgb'],
    [4, 8, 'srgb'],
    [1, 16, 'grey16'],
    [2, 16, 'grey16'],
    [3, 16, 'rgb16'],
    [4, 16, 'rgb16'],
  ])('with %d channels of %d bits is %s to libvips, with density, profile and XMP', async (channels, depth, space) => {
    const image = noise({ width: 7, height: 5, channels, depth });
    const scratch = ScratchImage.create(folder.path, image);
    scratch.writeRows(image.data);
    scratch.attach({ icc: Buffer.from('profile'), xmp: Buffer.from('<first/>') }, { x: 240, y: 100 });
    scratch.attach({ icc: Buffer.from('profile'), xmp: Buffer.from('<x/>') }, { x: 300, y: 150 });
    const header = await sharp(scratch.file).metadata();
    expect(header).toMatchObject({ format: 'vips', width: 7, height: 5, channels, space, density: 300 });
    expect([header.icc?.toString(), header.xmp?.toString()]).toEqual(['profile', '<x/>']);
    expect(scratch.readRows(0, 5)).toEqual(image.data);
    scratch.attach({});
    expect(statSync(scratch.file).size).toBe(64 + (35 * channels * depth) / 8);
    scratch.dispose();
  });

  it('refuses rows it has no place for, and rows that are not there yet', () => {
    const scratch = ScratchImage.create(folder.path, { width: 4, height: 2, channels: 3, depth: 8 });
    expect(() => scratch.writeRows(new Uint8Array(13))).toThrow(RangeError);
    expect(() => scratch.writeRows(new Uint8Array(36))).toThrow(RangeError);
    scratch.writeRows(new Uint8Array(12));
    expect(() => scratch.readRows(0, 2)).toThrow('rows 0 to 2 are not written yet');
    scratch.dispose();
  });

  it('removes its file, once', () => {
    const scratch = ScratchImage.create(folder.path, { width: 4, height: 2, channels: 3, depth: 8 });
    expect(readFileSync(scratch.file)).toHaveLength(64);
    scratch.dispose();
    scratch.dispose();
    expect(existsSync(scratch.file)).toBe(false);
  });

  const disk = mountSmallDisk(1 << 20);
  (disk ? it : it.skip)('says how much room it needs when the disk is full (needs root, to mount a small one)', () => {
    try {
      const scratch = ScratchImage.create(disk?.directory ?? '', { width: 1000, height: 1000, channels: 3, depth: 8 });
      const write = () => {
        for (let y = 0; y < 1000; y += 100) scratch.writeRows(new Uint8Array(300_000));
      };
      expect(write).toThrow(ScratchSpaceError);
      expect(write).toThrow(/cannot be written \(.*ENOSPC.*\); 3000064 bytes are needed there/);
      scratch.dispose();
    } finally {
      disk?.unmount();
    }
  });
});
