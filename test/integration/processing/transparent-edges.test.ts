import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BitDepth, Image } from '../../../app/imaging/image.ts';
import { allocateSamples, maxSample } from '../../../app/imaging/image.ts';
import { WorkerPool } from '../../../app/worker/worker-pool.ts';
import { difference } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { describeWithReference } from '../../support/reference.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../../support/upscale-task.ts';

type Color = readonly [number, number, number];

type Disc = readonly [name: string, color: Color, hidden: Color];

const RED_ON_GREEN: Disc = ['red on hidden green', [255, 0, 0], [0, 255, 0]];
/** Colours of a disc, and of what is hidden around it. */
const DISCS: readonly Disc[] = [
  RED_ON_GREEN,
  ['white on black', [255, 255, 255], [0, 0, 0]],
  ['skin on black', [200, 120, 80], [0, 0, 0]],
  ['black on white', [0, 0, 0], [255, 255, 255]],
  ['blue on yellow', [20, 40, 200], [255, 240, 0]],
];
/** What of the colour may be seen to change, in 255 levels. */
const MAX_LEVELS = 4;
const SIDE = 40;
const MIDDLE = (SIDE - 1) / 2;

let folder: TemporaryFolder;
let pool: WorkerPool;

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'models'));
  pool = new WorkerPool(workerConfig({ modelsDir: join(folder.path, 'models') }), { isBackground: false });
});

afterAll(async () => {
  await pool.close();
  await folder.remove();
});

/** A disc of one colour whose edge is half transparent, on pixels of alpha 0 in another. */
function disc(color: Color, hidden: Color, radius = 14.5, depth: BitDepth = 8): Image {
  const data = allocateSamples(depth, SIDE * SIDE * 4);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
    const away = Math.hypot((pixel % SIDE) - MIDDLE, Math.trunc(pixel / SIDE) - MIDDLE);
    const alpha = Math.min(255, Math.max(0, Math.trunc((radius - away) * 255)));
    const samples = [...(alpha > 0 ? color : hidden), alpha];
    data.set(
      samples.map((sample) => (sample * maxSample(depth)) / 255),
      4 * pixel,
    );
  }
  return { width: SIDE, height: SIDE, channels: 4, depth, data };
}

/** With a spot of another colour in its middle, far from its edge: a picture of one colour keeps that whatever its network says. */
function spotted(image: Image): Image {
  const data = image.data.slice();
  const middle = SIDE / 2;
  for (const pixel of [middle * SIDE + middle, middle * SIDE + middle + 1]) data.set([90, 160, 110], 4 * pixel);
  return { ...image, data };
}

async function upscaled(pictures: readonly Image[], options: Readonly<Record<string, unknown>>): Promise<Image[]> {
  const names = pictures.map((picture, index) => {
    writeFileSync(join(folder.path, `${index}.png`), writePng(picture));
    return `${index}.png`;
  });
  const results = await pool.run({ ...upscaleTask(folder.path, names, options), mayOverwrite: true });
  return results.map(({ file }) => readPng(readFileSync(file)));
}

/** How far any pixel is from a colour when it is laid on a ground of that colour, in 255 levels. */
function seenChange({ data, depth }: Image, color: Color): number {
  let most = 0;
  for (let at = 0; at < data.length; at += 4) {
    const cover = (data[at + 3] ?? 0) / maxSample(depth);
    for (const [channel, wanted] of color.entries()) {
      const level = ((data[at + channel] ?? 0) / maxSample(depth)) * 255;
      most = Math.max(most, Math.abs(cover * (level - wanted)));
    }
  }
  return most;
}

/** Left, top, right and bottom of what has any alpha. */
function visibleBox({ data, width }: Image): readonly number[] {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let pixel = 0; 4 * pixel < data.length; pixel++) {
    if (data[4 * pixel + 3] === 0) continue;
    xs.push(pixel % width);
    ys.push(Math.trunc(pixel / width));
  }
  const ends = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];
  const [[left, right], [top, bottom]] = [ends(xs), ends(ys)];
  return [left, top, right, bottom];
}

async function expectNoFringe(upscaler: string): Promise<void> {
  const results = await upscaled(
    DISCS.map(([, color, hidden]) => disc(color, hidden)),
    { upscaler },
  );
  const changes = results.map((result, index) => seenChange(result, DISCS[index]?.[1] ?? [0, 0, 0]));
  expect(Math.max(...changes)).toBeLessThanOrEqual(MAX_LEVELS);
}

/** Nothing of what is hidden can be told from the result. */
async function expectBlind(upscaler: string, [, color, hidden]: Disc, options = {}): Promise<void> {
  const pictures = [disc(color, hidden), disc(color, color)].map(spotted);
  const [made, same] = await upscaled(pictures, { upscaler, ...options });
  if (!made || !same) throw new Error('two pictures were asked for');
  expect(difference(made, same).max).toBe(0);
}

/** What is seen of the disc is, pixel by pixel, the network's own answer to an opaque picture wholly of its colour. */
async function expectOwnTones(upscaler: string, discs: readonly Disc[]): Promise<void> {
  const pictures = discs.flatMap(([, color, hidden]) => [disc(color, hidden), disc(color, color, SIDE)].map(spotted));
  const results = await upscaled(pictures, { upscaler, precision: 'fp32' });
  const changes = discs.map((_, index) => changeUnder(results[2 * index], results[2 * index + 1]));
  expect(Math.max(...changes)).toBeLessThanOrEqual(MAX_LEVELS);
}

/** How far the colours of a picture are from those of an opaque one, as far as they are seen, in 255 levels. */
function changeUnder(made: Image | undefined, shown: Image | undefined): number {
  if (!made || !shown) throw new Error('two pictures were asked for');
  let most = 0;
  for (const [at, sample] of made.data.entries()) {
    const cover = (made.data[at | 3] ?? 0) / 255;
    if (at % 4 < 3) most = Math.max(most, cover * Math.abs(sample - (shown.data[at] ?? NaN)));
  }
  return most;
}

async function expectTightBox(upscaler: string, scale: number): Promise<void> {
  const small = disc([255, 0, 0], [0, 255, 0], 8.5);
  const [made] = await upscaled([small], { upscaler, scale });
  const [lanczos] = await upscaled([small], { upscaler: 'LANCZOS', scale });
  if (!made || !lanczos) throw new Error('two pictures were asked for');
  const [box, bound] = [visibleBox(made), visibleBox(lanczos)];
  box.forEach((end, side) =>
    expect(side < 2 ? end : -end).toBeGreaterThanOrEqual((side < 2 ? 1 : -1) * (bound[side] ?? NaN)),
  );
  const middle = made.data[4 * ((made.height / 2) * made.width + made.width / 2) + 3];
  expect(middle).toBe(255);
}

describe('COMPACT_X2', () => {
  it('shows nothing of colours that are hidden', () => expectNoFringe('COMPACT_X2'));

  it.each([2, 3, 1.5])('grows what is visible by no more than LANCZOS, %d times as large', (scale) =>
    expectTightBox('COMPACT_X2', scale),
  );

  it('shows nothing of them in 16 bits, in two passes and after a reduction', async () => {
    const [, color, hidden] = RED_ON_GREEN;
    for (const scale of [4, 1.3]) {
      const [result] = await upscaled([disc(color, hidden, 14.5, 16)], { upscaler: 'COMPACT_X2', scale });
      expect(result?.depth).toBe(16);
      expect(result && seenChange(result, color)).toBeLessThanOrEqual(MAX_LEVELS);
    }
  });

  it('leaves wholly transparent pixels so, and a disc opaque in its middle', async () => {
    const nothing: Image = { width: SIDE, height: SIDE, channels: 4, depth: 8, data: new Uint8Array(SIDE * SIDE * 4) };
    const [result] = await upscaled([nothing], { upscaler: 'COMPACT_X2' });
    expect(result?.data.some((sample, at) => at % 4 === 3 && sample !== 0)).toBe(false);
  });

  it('processes hidden colours as stored where a number is asked for tile_pad', async () => {
    const [, red, green] = RED_ON_GREEN;
    const [hidden, shown] = await upscaled([disc(red, green), disc(red, red)], {
      upscaler: 'COMPACT_X2',
      tile_pad: 10,
    });
    if (!hidden || !shown) throw new Error('two pictures were asked for');
    expect(difference(hidden, shown).max).toBeGreaterThan(100);
  });

  it('gives visible colours as it gives them in an opaque picture', () => expectOwnTones('COMPACT_X2', DISCS));

  it('cannot tell what is hidden: the result is that of a picture without hidden colours', () =>
    expectBlind('COMPACT_X2', RED_ON_GREEN, { scale: 4 }));
});

describe.each([
  { model: 'realesr-animevideov3', spottedDiscs: DISCS },
  // Flat skin it gives another tint by 6 levels, and blue by 10, as it does in PyTorch.
  { model: 'RealESRGAN_x4plus', spottedDiscs: DISCS.filter(([name]) => /skin|blue/.test(name)) },
])('$model', ({ model, spottedDiscs }) => {
  describeWithReference('as it is published', ['weights', `${model}.pth`], (file) => {
    it('shows nothing of colours that are hidden, and grows what is visible by no more than LANCZOS', async () => {
      copyFileSync(file, join(folder.path, 'models', `${model}.pth`));
      await expectNoFringe(`${model}.pth`);
      await expectOwnTones(`${model}.pth`, spottedDiscs);
      await expectTightBox(`${model}.pth`, 4);
    }, 600_000);
  });
});
