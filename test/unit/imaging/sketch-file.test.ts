import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Channels } from '../../../app/imaging/image.ts';
import { sharp } from '../../../app/imaging/codec/codec-sharp.ts';
import { sketchPicture } from '../../../app/imaging/codec/sketch-picture.ts';
import { MAX_SKETCH_SIDE, SketchFile } from '../../../app/imaging/sketch-file.ts';
import { VIPS_HEADER_BYTES, vipsSize } from '../../../app/imaging/vips-file.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the sketch of a picture that is being made', () => {
  let folder: TemporaryFolder;
  let file: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    file = join(folder.path, 'sketch');
  });

  afterAll(() => folder.remove());

  /** A tile of one color in a picture. */
  const tile = (
    picture: { readonly width: number; readonly height: number; readonly channels: Channels; readonly depth: 8 | 16 },
    [x, y, width, height]: readonly [number, number, number, number],
    color: readonly number[],
  ) => {
    const rows = new (picture.depth === 16 ? Uint16Array : Uint8Array)(picture.width * height * picture.channels);
    for (let row = 0; row < height; row++) {
      for (let column = x; column < x + width; column++) {
        rows.set(color, (row * picture.width + column) * picture.channels);
      }
    }
    return { picture, region: { x, y, width, height }, rows };
  };
  const readSketch = async (file: string) => {
    const bytes = await readFile(file);
    const { width, height } = vipsSize(bytes);
    return { width, height, data: bytes.subarray(VIPS_HEADER_BYTES, VIPS_HEADER_BYTES + 4 * width * height) };
  };
  const pixel = async (x: number, y: number): Promise<number[]> => {
    const { width, data } = await readSketch(file);
    return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
  };

  it('shows a tile where it lies and nothing elsewhere, and is gone with its picture', async () => {
    const sketch = new SketchFile(file);
    await expect(readSketch(file)).rejects.toThrow('ENOENT');
    sketch.paint(tile({ width: 20, height: 10, channels: 3, depth: 8 }, [8, 0, 12, 6], [10, 200, 30]));
    const { width, height } = await readSketch(file);
    expect([width, height]).toEqual([20, 10]);
    expect(await pixel(8, 0)).toEqual([10, 200, 30, 255]);
    expect(await pixel(19, 5)).toEqual([10, 200, 30, 255]);
    for (const [x, y] of [
      [7, 0],
      [8, 6],
    ] as const) {
      expect(await pixel(x, y)).toEqual([0, 0, 0, 0]);
    }
    sketch.dispose();
    expect(existsSync(file)).toBe(false);
  });

  it('is small however large the picture is, and its tiles leave no gap', async () => {
    const sketch = new SketchFile(file);
    const picture = { width: 5000, height: 60, channels: 1, depth: 16 } as const;
    for (let x = 0; x < 5000; x += 700) {
      for (const y of [0, 25]) {
        const region = [x, y, Math.min(700, 5000 - x), y === 0 ? 25 : 35] as const;
        sketch.paint(tile(picture, region, [257 * 90]));
      }
    }
    const { width, height, data } = await readSketch(file);
    expect([width, height]).toEqual([MAX_SKETCH_SIDE, 15]);
    expect(data.filter((sample, index) => sample !== (index % 4 === 3 ? 255 : 90))).toEqual(Buffer.alloc(0));
    sketch.dispose();
  });

  it('keeps alpha, and takes the tiles of a later pass, which is larger', async () => {
    const sketch = new SketchFile(file);
    sketch.paint(tile({ width: 8, height: 8, channels: 2, depth: 8 }, [0, 0, 8, 8], [50, 7]));
    expect(await pixel(3, 3)).toEqual([50, 50, 50, 7]);
    sketch.paint(tile({ width: 32, height: 32, channels: 2, depth: 8 }, [0, 0, 16, 16], [60, 255]));
    expect(await pixel(3, 3)).toEqual([60, 60, 60, 255]);
    expect(await pixel(4, 4)).toEqual([50, 50, 50, 7]);
    sketch.dispose();
  });

  it('is shown in the colours of its picture, by the same profile and the same samples', async () => {
    const profile = await profileOf('p3');
    const sketch = new SketchFile(file);
    await expect(sketchPicture(file)).rejects.toMatchObject({ code: 'ENOENT' });
    sketch.setProfile(profile);
    sketch.paint(tile({ width: 32, height: 32, channels: 3, depth: 8 }, [0, 0, 32, 32], [200, 60, 30]));
    const shown = await sketchPicture(file);
    expect((await sharp(shown).metadata()).icc?.equals(profile)).toBe(true);
    const [red = 0, green = 0, blue = 0] = await sharp(shown, { ignoreIcc: true }).removeAlpha().raw().toBuffer();
    for (const difference of [red - 200, green - 60, blue - 30]) expect(Math.abs(difference)).toBeLessThan(6);
    sketch.dispose();
  });

  it('is not shown before it is whole', async () => {
    writeFileSync(file, Buffer.alloc(VIPS_HEADER_BYTES + 16));
    await expect(sketchPicture(file)).rejects.toThrow(RangeError);
  });
});

async function profileOf(name: string): Promise<Buffer> {
  const picture = sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } });
  const { icc } = await sharp(await picture.withIccProfile(name).png().toBuffer()).metadata();
  if (!icc) throw new Error(`${name} is no profile`);
  return icc;
}
