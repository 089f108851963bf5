import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { openAnimation } from '../../../app/imaging/codec/animation/animation.ts';
import { ApngFile } from '../../../app/imaging/codec/animation/apng-file.ts';
import type { Image } from '../../../app/imaging/image.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import { difference, gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { upscaleTask } from '../../support/upscale-task.ts';
import { workersInFolder } from '../../support/workers-in-folder.ts';

const FRAMES = 12;
const SHAPE = { width: 24, height: 16, channels: 4, depth: 8 } as const;
const LIMITS = { maxPixels: 1_000_000 };
/** Milliseconds, in hundredths of seconds as GIF has them. */
const TIMES = Array.from({ length: FRAMES }, (_, index) => 20 + 10 * index);
const PLAYS = 3;

const workers = workersInFolder();

/** Few colours, a square that moves, and a transparent corner. */
function frame(index: number): Image {
  const data = new Uint8Array(SHAPE.width * SHAPE.height * 4);
  for (let pixel = 0; pixel < SHAPE.width * SHAPE.height; pixel++) {
    const [x, y] = [pixel % SHAPE.width, Math.trunc(pixel / SHAPE.width)];
    const isSquare = x >= index && x < index + 6 && y > 4 && y < 12;
    data.set(x + y < 5 ? [0, 0, 0, 0] : isSquare ? [250, 200, 40, 255] : [40, 60, (index * 20) % 256, 255], 4 * pixel);
  }
  return { ...SHAPE, data };
}

async function animation(kind: 'gif' | 'webp' | 'png'): Promise<string> {
  const file = join(workers.folder, `moving.${kind}`);
  if (kind === 'png') {
    const apng = new ApngFile(file, { times: TIMES, plays: PLAYS });
    for (let index = 0; index < FRAMES; index++) apng.add(writePng(frame(index)), { x: 0, y: 0 });
    apng.finish();
    return file;
  }
  const strip = Buffer.concat(Array.from({ length: FRAMES }, (_, index) => Buffer.from(frame(index).data)));
  const raw = { ...SHAPE, height: SHAPE.height * FRAMES, pageHeight: SHAPE.height };
  const image = sharp(strip, { raw });
  const times = { delay: TIMES, loop: PLAYS };
  writeFileSync(file, await (kind === 'gif' ? image.gif(times) : image.webp({ ...times, lossless: true })).toBuffer());
  return file;
}

async function framesOf(file: string): Promise<{ frames: Image[]; times: readonly number[]; plays: number }> {
  const opened = await openAnimation(file, LIMITS);
  if (!opened) throw new Error(`${file} does not move`);
  const frames: Image[] = [];
  for await (const one of opened.frames()) frames.push(one);
  return { frames, times: opened.times, plays: opened.plays };
}

function run(names: readonly string[], output: object): Promise<readonly ImageResult[]> {
  const task = upscaleTask(workers.folder, names, { upscaler: 'COMPACT_X2' });
  return workers.pool.run({ ...task, output: outputOptions.parse(output), mayOverwrite: true });
}

describe.each([
  { kind: 'gif', written: 'webp' },
  { kind: 'webp', written: 'webp' },
  { kind: 'png', written: 'png' },
] as const)('An animation as $kind', ({ kind, written }) => {
  it(`becomes a ${written} of the frames as they are one by one, with their times`, async () => {
    const source = await framesOf(await animation(kind));
    const [moved] = await run([`moving.${kind}`], { frames: 'all' });
    expect(moved?.info).toMatchObject({ frames: FRAMES, format: written, warnings: [] });
    const result = await framesOf(moved?.file ?? '');
    expect([result.times, result.plays]).toEqual([TIMES, PLAYS]);
    expect([source.times, source.plays]).toEqual([TIMES, PLAYS]);

    const names = source.frames.map((image, index) => {
      writeFileSync(join(workers.folder, `still-${index}.png`), writePng(image));
      return `still-${index}.png`;
    });
    const stills = await run(names, { output_format: 'png' });
    for (const [index, { file }] of stills.entries()) {
      const still = readPng(readFileSync(file));
      const made = result.frames[index];
      if (!made) throw new Error(`frame ${index} is missing`);
      expect([index, difference(made, still).max]).toEqual([index, 0]);
    }
  });
});

describe('frames', () => {
  it('is first where nothing is asked, with a word', async () => {
    await animation('webp');
    const [result] = await run(['moving.webp'], { output_format: 'png' });
    expect(result?.info.warnings).toEqual([`the file has ${FRAMES} frames or pages; only the first is used`]);
    expect(result?.info.frames).toBeUndefined();
  });

  it('all of a picture that stands still is the picture', async () => {
    writeFileSync(join(workers.folder, 'still.png'), writePng(gradient({ ...SHAPE, channels: 3 })));
    const [result] = await run(['still.png'], { frames: 'all' });
    expect(result?.info).toMatchObject({ format: 'png', warnings: [] });
    expect(await openAnimation(result?.file ?? '', LIMITS)).toBeUndefined();
  });

  it('all is refused in a format of one frame, with those that hold them', async () => {
    await animation('webp');
    const failed: string[] = [];
    const task = upscaleTask(workers.folder, ['moving.webp'], { upscaler: 'LANCZOS' });
    await workers.pool.run(
      { ...task, output: outputOptions.parse({ frames: 'all', output_format: 'jpeg' }) },
      { onImageFailed: (_index, { message }) => failed.push(message) },
    );
    expect(failed).toEqual(['JPEG holds one frame; with frames=all ask for PNG or WebP']);
  });
});
