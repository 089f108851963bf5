import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import { decodeImage, encodeImage } from '../../../app/imaging/codec/codec.ts';
import { readUserComment, withUserComment } from '../../../app/imaging/codec/exif/exif.ts';
import { PARAMETERS, readImageTexts } from '../../../app/imaging/codec/metadata/image-texts.ts';
import type { Image } from '../../../app/imaging/image.ts';
import { resample } from '../../../app/imaging/pillow/resample.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { rowsInto } from '../../../app/imaging/rows-into.ts';
import { OUTPUT_FORMAT_NAMES, traitsOf } from '../../../app/options/output-formats.ts';
import { collectImage, difference, gradient, noise } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { upscaleTask } from '../../support/upscale-task.ts';
import { workersInFolder } from '../../support/workers-in-folder.ts';

const LIMITS = { maxPixels: 1_000_000 };
const FILTERS = ['NEAREST', 'BILINEAR', 'BICUBIC', 'LANCZOS'] as const;
const KINDS = ([8, 16] as const).flatMap((depth) => ([1, 2, 3, 4] as const).map((channels) => ({ channels, depth })));

const workers = workersInFolder();

/** The results of files in one run, as PNG. */
async function results(
  files: readonly Uint8Array[],
  options: Readonly<Record<string, unknown>>,
): Promise<readonly Image[]> {
  const names = files.map((bytes, index) => {
    writeFileSync(join(workers.folder, `${index}.bin`), bytes);
    return `${index}.bin`;
  });
  const made = await workers.pool.run({ ...upscaleTask(workers.folder, names, options), mayOverwrite: true });
  return made.map(({ file }) => readPng(readFileSync(file)));
}

function enlarged(image: Image, filter: (typeof FILTERS)[number], scale: number): Image {
  const size = { width: Math.trunc(image.width * scale), height: Math.trunc(image.height * scale) };
  const { channels, depth } = image;
  return collectImage({ ...size, channels, depth }, (sink) => resample(rowsOf(image), sink, filter));
}

describe.each(FILTERS)('%s, of files', (filter) => {
  const images = KINDS.map((kind, index) => noise({ width: 19 + index, height: 13, ...kind }, index + 1));
  let made: readonly Image[];
  beforeAll(async () => {
    made = await results(
      images.map((image) => writePng(image)),
      { upscaler: filter, scale: 1.7 },
    );
  });

  it.each(KINDS.map((kind, index) => ({ ...kind, index })))(
    'gives $channels channels of $depth bits as from memory',
    ({ index }) => {
      const [source, result] = [images[index], made[index]];
      if (!source || !result) throw new Error('no picture');
      expect(difference(result, enlarged(source, filter, 1.7)).max).toBe(0);
    },
  );
});

describe('Tiny and narrow pictures', () => {
  const sizes = [
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 3],
    [5, 7],
    [1, 300],
    [300, 1],
    [3, 64],
    [64, 3],
    [17, 1],
  ] as const;
  const images = sizes.map(([width, height]) => noise({ width, height, channels: 4, depth: 8 }, width * height));
  let made: readonly Image[];
  beforeAll(async () => {
    made = await results(
      images.map((image) => writePng(image)),
      { upscaler: 'LANCZOS', scale: 3 },
    );
  });

  it.each(sizes.map(([width, height], index) => ({ width, height, index })))('$width x $height', ({ index }) => {
    const [source, result] = [images[index], made[index]];
    if (!source || !result) throw new Error('no picture');
    expect(difference(result, enlarged(source, 'LANCZOS', 3)).max).toBe(0);
  });
});

/** How a picture is turned by a value of EXIF's orientation: where its pixel `x`, `y` comes from. */
const TURNS: readonly ((x: number, y: number, w: number, h: number) => readonly [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _w, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _w, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
];

function turned(image: Image, orientation: number): Image {
  const { width: w, height: h, channels, data } = image;
  const [width, height] = orientation > 4 ? [h, w] : [w, h];
  const turn = TURNS[orientation - 1];
  const moved = new Uint8Array(data.length);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = turn?.(at % width, Math.trunc(at / width), w, h) ?? [0, 0];
    moved.set(data.subarray((y * w + x) * channels, (y * w + x + 1) * channels), at * channels);
  }
  return { ...image, width, height, data: moved };
}

function raw({ data, width, height, channels, depth }: Image): Sharp {
  const samples = depth === 16 ? Uint16Array.from(data) : Uint8Array.from(data);
  return sharp(samples, { raw: { width, height, channels } });
}

/** How files are written, and how far their pixels may be from the picture. */
const WRITERS: Readonly<Record<string, { readonly write: (image: Sharp) => Sharp; readonly levels: number }>> = {
  jpeg: { write: (image) => image.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }), levels: 4 },
  'progressive jpeg': {
    write: (image) => image.jpeg({ quality: 100, chromaSubsampling: '4:4:4', progressive: true }),
    levels: 4,
  },
  png: { write: (image) => image.png(), levels: 0 },
  'interlaced png': { write: (image) => image.png({ progressive: true }), levels: 0 },
  'lossless webp': { write: (image) => image.webp({ lossless: true }), levels: 0 },
  'lossless avif': { write: (image) => image.avif({ lossless: true, effort: 0 }), levels: 0 },
  'raw tiff': { write: (image) => image.tiff({ compression: 'none' }), levels: 0 },
  'lzw tiff': { write: (image) => image.tiff({ compression: 'lzw', predictor: 'horizontal' }), levels: 0 },
  'deflate tiff': { write: (image) => image.tiff({ compression: 'deflate' }), levels: 0 },
  'packbits tiff': { write: (image) => image.tiff({ compression: 'packbits' }), levels: 0 },
  'tiled tiff': {
    write: (image) => image.tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16 }),
    levels: 0,
  },
  'big tiff': { write: (image) => image.tiff({ compression: 'lzw', bigtiff: true }), levels: 0 },
};

describe('Files that are turned', () => {
  const picture = gradient({ width: 21, height: 14, channels: 3, depth: 8 });
  const cases = Object.entries(WRITERS)
    .filter(([name]) => name !== 'lossless avif') // libheif turns by boxes of its own, not by EXIF
    .flatMap(([name, { write, levels }]) =>
      TURNS.map((_turn, index) => ({ name, write, levels, orientation: index + 1 })),
    );
  let made: readonly Image[];
  beforeAll(async () => {
    const files = cases.map(({ write, orientation }) => write(raw(picture).withMetadata({ orientation })).toBuffer());
    made = await results(await Promise.all(files), { upscaler: 'NEAREST', scale: 1 });
  });

  it.each(cases.map(({ name, orientation, levels }, index) => ({ name, orientation, levels, index })))(
    '$name, by $orientation',
    ({ orientation, levels, index }) => {
      const result = made[index];
      if (!result) throw new Error('no picture');
      expect(difference(result, turned(picture, orientation)).max).toBeLessThanOrEqual(levels);
    },
  );
});

describe.each(OUTPUT_FORMAT_NAMES)('Results as %s', (format) => {
  const { bits, holdsAlpha, holdsGray } = traitsOf(format);

  it.each(KINDS)('of $channels channels of $depth bits have what the format holds', async ({ channels, depth }) => {
    const scratch = rowsInto(rowsOf(gradient({ width: 33, height: 18, channels, depth })), workers.folder);
    const file = join(workers.folder, `result.${format}`);
    await encodeImage(scratch, file, { format });
    scratch.dispose();
    const { image } = await decodeImage(file, LIMITS);
    const hasAlpha = (channels === 2 || channels === 4) && holdsAlpha;
    const colors = channels < 3 && holdsGray ? 1 : 3;
    expect(image).toMatchObject({ width: 33, height: 18, depth: depth === 16 && bits > 8 ? 16 : 8 });
    expect(image.channels).toBe(colors + Number(hasAlpha));
  });

  it.each(['a cat, Steps: 20', 'a café — 猫'])('keep the text of how %s was made', async (text) => {
    const scratch = rowsInto(rowsOf(gradient({ width: 9, height: 9, channels: 3, depth: 8 })), workers.folder);
    const file = join(workers.folder, `texts.${format}`);
    await encodeImage(scratch, file, { format, metadata: { format: 'jpeg', exif: withUserComment(undefined, text) } });
    scratch.dispose();
    const { exif } = (await decodeImage(file, LIMITS)).metadata;
    const told = format === 'avif' ? undefined : readImageTexts(readFileSync(file), 'a').texts.get(PARAMETERS);
    expect(told ?? (exif && readUserComment(exif))).toBe(text);
  });
});
