import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sharp } from '../../../app/imaging/codec/codec-sharp.ts';
import { sketchPicture } from '../../../app/imaging/codec/sketch-picture.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { rowsInto } from '../../../app/imaging/rows-into.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import type { PixelWork } from '../../../app/processing/process-images.ts';
import { processImages } from '../../../app/processing/process-images.ts';
import type { Rung, TaskImage } from '../../../app/processing/tasks.ts';
import { difference, noise } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Takes longer to encode than a small one takes to be read and copied. */
const LARGE = noise({ width: 700, height: 450, channels: 3, depth: 8 }, 1);
const SMALL = noise({ width: 16, height: 16, channels: 3, depth: 8 }, 2);

describe('the images of a task', () => {
  let folder: TemporaryFolder;
  let scratch: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    scratch = join(folder.path, 'scratch');
    await mkdir(scratch);
    await writeFile(join(folder.path, 'large.png'), writePng(LARGE));
    await writeFile(join(folder.path, 'small.png'), writePng(SMALL));
    await writeFile(join(folder.path, 'broken.png'), writePng(SMALL).subarray(0, 60));
  });
  afterEach(async () => {
    await folder.remove();
  });

  const imageOf = (name: string, index: number): TaskImage => ({
    file: join(folder.path, name),
    name,
    outputStem: join(folder.path, `out-${index}`),
  });
  /** Called as a picture is half made. */
  let watching: (() => Promise<void>) | undefined;
  let placing: ((index: number) => void) | undefined;
  /** Copies images, and writes down what happens when. */
  const run = async (images: readonly TaskImage[], rung: Partial<Rung> = {}) => {
    const events: string[] = [];
    const shares: number[] = [];
    let image = -1;
    const work: PixelWork<null> = {
      plan: ({ width, height, channels, depth }) =>
        Promise.resolve({ plan: null, shape: { width, height, channels, depth } }),
      make: async (source, _, { clock }) => {
        events.push(`made ${image}`);
        const region = { x: 0, y: 0, width: source.width, height: source.height };
        clock.at('upscaling', 0.5, { tile: 1, tiles: 2 }, { picture: source, region, rows: source.data });
        await watching?.();
        const size = { width: source.width, height: source.height };
        const info = { scale: 1, input: size, output: size, fallbacks: [], warnings: [] };
        return { image: rowsInto(rowsOf(source), scratch), encodingFrom: 0.9, info };
      },
    };
    const task = { images, output: outputOptions.parse({ output_format: 'png' }) };
    await processImages(task, work, {
      rung: { excludedDevices: [], finished: [], ...rung },
      scratch,
      maxInputPixels: 1e9,
      hooks: {
        onImage: (index) => {
          image = index;
          events.push(`begin ${index}`);
        },
        onProgress: ({ progress }) => shares.push(progress),
        onRunning: () => undefined,
        onPlacing: (index) => placing?.(index),
        onResult: ({ index }) => events.push(`result ${index}`),
        onImageFailed: (index) => events.push(`failed ${index}`),
      },
    });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    return events;
  };
  it('are shown while they are made, in the colours of their results', async () => {
    const { data, ...raw } = SMALL;
    await writeFile(join(folder.path, 'p3.png'), await sharp(data, { raw }).withIccProfile('p3').png().toBuffer());
    const iccOf = async (picture: Buffer): Promise<Buffer | undefined> => (await sharp(picture).metadata()).icc;
    const sketchOf = (index: number): string => join(folder.path, `sketch-${index}`);
    const shown: (Buffer | undefined)[] = [];
    watching = async () => void shown.push(await iccOf(await sketchPicture(sketchOf(shown.length))));
    await run(['p3.png', 'small.png'].map((name, index) => ({ ...imageOf(name, index), sketchFile: sketchOf(index) })));
    watching = undefined;
    const results = await Promise.all(
      [0, 1].map((index) => iccOf(readFileSync(join(folder.path, `out-${index}.png`)))),
    );
    expect(shown).toEqual(results);
    expect(results[0]?.length).toBeGreaterThan(100);
  });

  const left = async () => (await folder.files()).filter((name) => name.startsWith('scratch/'));

  it('are worked on while the one before is written, with no more than one that waits for that', async () => {
    const events = await run(['large.png', 'small.png', 'small.png'].map(imageOf));
    expect(events.filter((event) => !event.startsWith('begin'))).toEqual([
      'made 0',
      'made 1',
      'result 0',
      ...(events.indexOf('result 1') < events.indexOf('made 2') ? ['result 1', 'made 2'] : ['made 2', 'result 1']),
      'result 2',
    ]);
    expect(events.indexOf('begin 2')).toBeGreaterThan(events.indexOf('result 0'));
    expect(difference(readPng(readFileSync(join(folder.path, 'out-0.png'))), LARGE).max).toBe(0);
    expect(difference(readPng(readFileSync(join(folder.path, 'out-1.png'))), SMALL).max).toBe(0);
    expect(await left()).toEqual([]);
  });

  it('are written one by one where a worker died over two of them', async () => {
    const events = await run(['large.png', 'small.png'].map(imageOf), { isOneByOne: true });
    expect(events).toEqual(['begin 0', 'made 0', 'result 0', 'begin 1', 'made 1', 'result 1']);
  });

  it('say in their order that they come to their places, before they do; what may be there from before is replaced', async () => {
    const images = ['large.png', 'small.png'].map(imageOf);
    const seen: unknown[] = [];
    placing = (index) => seen.push([index, ...[0, 1].map((at) => existsSync(join(folder.path, `out-${at}.png`)))]);
    await run(images);
    placing = undefined;
    expect(seen).toEqual([
      [0, false, false],
      [1, true, false],
    ]);
    const again = await run(images, { mayReplace: [1] });
    expect(again.filter((event) => !event.startsWith('begin'))).toEqual(['failed 0', 'made 1', 'result 1']);
  });

  it('fail by themselves: the one that cannot be read, and the one that cannot be written', async () => {
    const nowhere = { ...imageOf('large.png', 0), outputStem: join(folder.path, 'no-folder', 'out') };
    const events = await run([nowhere, imageOf('broken.png', 1), imageOf('small.png', 2)]);
    expect(events.filter((event) => !event.startsWith('begin'))).toEqual([
      'made 0',
      'failed 0',
      'failed 1',
      'made 2',
      'result 2',
    ]);
    expect(await left()).toEqual([]);
  });

  it('leave a name to the result that is being written under it', async () => {
    const same = { outputFile: join(folder.path, 'same.png') };
    const events = await run([
      { ...imageOf('large.png', 0), ...same },
      { ...imageOf('small.png', 1), ...same },
    ]);
    expect(events.filter((event) => !event.startsWith('begin'))).toEqual(['made 0', 'result 0', 'failed 1']);
    expect(existsSync(same.outputFile)).toBe(true);
    expect(difference(readPng(readFileSync(same.outputFile)), LARGE).max).toBe(0);
  });

  it('are read after the result that replaces them, where one does', async () => {
    const images = [{ ...imageOf('large.png', 0), outputStem: join(folder.path, 'small') }, imageOf('small.png', 1)];
    const events = await run(images);
    expect(events.indexOf('begin 1')).toBeGreaterThan(Math.max(events.indexOf('result 0'), events.indexOf('failed 0')));
  });
});
