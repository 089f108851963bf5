import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { mendProfile } from '../../../../app/imaging/codec/color/mend-profile.ts';
import { outputColors } from '../../../../app/imaging/codec/color/output-colors.ts';
import type { StatedColor } from '../../../../app/imaging/codec/color/stated-color.ts';
import { chunkType, colorsAlone } from '../../../../app/imaging/codec/metadata/metadata.ts';
import { makePngChunk } from '../../../../app/imaging/codec/png-chunks.ts';
import { fromVideoRange } from '../../../../app/imaging/codec/pixels/video-range.ts';
import type { Channels } from '../../../../app/imaging/image.ts';
import type { OutputFormat } from '../../../../app/options/output-formats.ts';
import { OUTPUT_FORMAT_NAMES } from '../../../../app/options/output-formats.ts';
import { gradient } from '../../../support/images/images.ts';
import { writePng } from '../../../support/images/png.ts';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/told-colors/', import.meta.url));
const LIMITS = { maxPixels: 1e6 };
const shape = (channels: Channels) => ({ width: 4, height: 4, channels, depth: 8 as const });

async function profileOf(name: string): Promise<Uint8Array> {
  return (await decodeImage(FIXTURES + name, LIMITS)).metadata.icc ?? new Uint8Array();
}

const changed = (profile: Uint8Array, change: (copy: Buffer) => void): Uint8Array => {
  const copy = Buffer.from(profile);
  change(copy);
  return new Uint8Array(copy);
};

describe('An ICC profile', () => {
  it.each<[string, (profile: Uint8Array) => Uint8Array, RegExp | undefined]>([
    ['as it should be stays as it is', (profile) => profile, undefined],
    [
      'with bytes behind its end is cut there',
      (profile) => Buffer.concat([profile, Buffer.alloc(16)]),
      /^the ICC profile declares (\d+) bytes and has \d+: it is kept with \1$/,
    ],
    [
      'that declares more than it has declares what it has',
      (profile) => changed(profile, (copy) => copy.writeUInt32BE(copy.length + 100)),
      /declares \d+ bytes and has (\d+): it is kept with \1/,
    ],
    [
      'that declares less than its tags take declares enough',
      (profile) => changed(profile, (copy) => copy.writeUInt32BE(140)),
      /declares 140 bytes and has (\d+): it is kept with \1/,
    ],
  ])('%s', async (_what, spoil, told) => {
    const whole = await profileOf('icc-adobe.jpg');
    const result = mendProfile(spoil(whole));
    expect(result.profile).toEqual(whole);
    expect(result.profile && result.mended).toEqual(told ? expect.stringMatching(told) : undefined);
  });

  it('of version 4 becomes a multiple of 4 bytes, of version 2 stays', async () => {
    const odd = (profile: Uint8Array): Uint8Array =>
      changed(Buffer.concat([profile, Buffer.alloc(1)]), (copy) => copy.writeUInt32BE(copy.length));
    const [four, two] = [odd(await profileOf('icc-p3.webp')), odd(await profileOf('icc-adobe.jpg'))];
    expect(mendProfile(four).profile?.length).toBe(four.length + 3);
    expect(mendProfile(two).profile?.length).toBe(two.length);
  });

  it.each<[string, (profile: Uint8Array) => Uint8Array, string]>([
    ['that is cut', (profile) => profile.subarray(0, 300), 'it is cut or damaged'],
    ['of a header alone', (profile) => profile.subarray(0, 128), 'it ends within its header'],
    [
      'without its signature',
      (profile) => changed(profile, (copy) => copy.write('ACSP', 36)),
      'it lacks the signature of a profile',
    ],
    [
      'that links devices',
      (profile) => changed(profile, (copy) => copy.write('link', 12)),
      'profiles of the class link are for no picture',
    ],
    [
      'of an unknown reference',
      (profile) => changed(profile, (copy) => copy.write('RGB ', 20)),
      'it relates to neither XYZ nor Lab',
    ],
    [
      'without curves',
      (profile) => changed(profile, (copy) => copy.write('xTRC', copy.indexOf('gTRC'))),
      'it lacks the tags that say what samples mean',
    ],
    [
      'of a thousand tags more',
      (profile) => changed(profile, (copy) => copy.writeUInt32BE(5000, 128)),
      'it is cut or damaged',
    ],
  ])('%s is told from others', async (_what, spoil, fault) => {
    expect(mendProfile(spoil(await profileOf('icc-adobe.jpg')))).toEqual({ profile: undefined, fault });
  });

  it('that is broken is left out with a warning before the work', async () => {
    const icc = (await profileOf('icc-adobe.jpg')).subarray(0, 300);
    const { metadata, warnings } = await decodedWith(iccChunk(icc));
    expect([metadata.icc, warnings]).toEqual([undefined, ['ICC profile dropped: it is cut or damaged']]);
  });

  it.each(
    ['icc-adobe.jpg', 'icc-p3.webp', 'icc-table.tif'].flatMap((name) =>
      OUTPUT_FORMAT_NAMES.flatMap((format) => ([3, 4] as const).map((channels) => ({ name, format, channels }))),
    ),
  )('of $name stays byte for byte in $format of $channels channels', async ({ name, format, channels }) => {
    const icc = await profileOf(name);
    const colors = outputColors(shape(channels), format, { icc });
    expect([colors.icc, colors.isConvertedToSrgb, colors.chunks]).toEqual([icc, false, []]);
  });
});

const chunks = {
  gamma: makePngChunk('gAMA', Buffer.from([0, 1, 0x86, 0xa0])),
  srgbGamma: makePngChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f])),
  srgb: makePngChunk('sRGB', Buffer.from([0])),
  p3: makePngChunk('cICP', Buffer.from([12, 13, 0, 1])),
  pq: makePngChunk('cICP', Buffer.from([9, 16, 0, 1])),
  light: makePngChunk('cLLI', Buffer.from([0, 0x98, 0x96, 0x80, 0, 0x3d, 9, 0])),
};

async function decodedWith(...extra: readonly Uint8Array[]) {
  const picture = writePng(gradient(shape(3)));
  return decodeImage(Buffer.concat([picture.subarray(0, 33), ...extra, picture.subarray(33)]), LIMITS);
}

describe('The colour chunks of a PNG', () => {
  it.each<[string, readonly Uint8Array[], StatedColor | undefined]>([
    ['cICP', [chunks.p3], { kind: 'codes', primaries: 12, transfer: 13 }],
    ['cICP before gAMA', [chunks.gamma, chunks.p3], { kind: 'codes', primaries: 12, transfer: 13 }],
    ['sRGB before gAMA', [chunks.gamma, chunks.srgb], undefined],
    ['gAMA', [chunks.gamma], { kind: 'gamma', gamma: 1 }],
    ['nothing', [], undefined],
  ])('are read in their order: %s', async (_what, extra, expected) => {
    expect((await decodedWith(...extra)).metadata.color).toEqual(expected);
  });

  it('of video are not followed, with a warning', async () => {
    const { metadata, warnings } = await decodedWith(makePngChunk('cICP', Buffer.from([9, 16, 9, 0])));
    expect([metadata.color, warnings]).toEqual([
      undefined,
      ['cICP is not followed: it is not for RGB of full range, as PNG holds it'],
    ]);
  });

  it('stay where metadata is stripped, and so does a profile', async () => {
    const { metadata } = await decodedWith(chunks.pq, chunks.light, makePngChunk('tEXt', Buffer.from('a\0b')));
    const { chunks: kept } = outputColors(shape(3), 'png', colorsAlone(metadata));
    expect(kept.map(chunkType)).toEqual(['cICP', 'cLLI']);
  });

  it('that speak of codes stay beside a profile in PNG and go before it elsewhere', async () => {
    const icc = await profileOf('icc-adobe.jpg');
    const source = {
      icc,
      pngChunks: [chunks.pq, chunks.light, chunks.gamma],
      color: { kind: 'codes', primaries: 9, transfer: 16 },
    } as const;
    const png = outputColors(shape(3), 'png', source);
    expect([png.icc, png.chunks]).toEqual([icc, [chunks.pq, chunks.light]]);
    const avif = outputColors(shape(3), 'avif', source);
    expect([avif.icc, avif.codes, avif.warnings]).toEqual([
      undefined,
      source.color,
      ['mDCV and cLLI are left out: only PNG holds them'],
    ]);
    const jpeg = outputColors(shape(3), 'jpeg', source);
    expect(jpeg.icc).not.toEqual(icc);
    expect(jpeg.warnings[0]).toContain('the picture is HDR (PQ), which JPEG says by an ICC profile');
  });
});

describe('Words for colours', () => {
  const codes = (primaries: number, transfer: number): StatedColor => ({ kind: 'codes', primaries, transfer });
  it.each<[string, StatedColor]>([
    ['sRGB', codes(1, 13)],
    ['BT.709', codes(1, 1)],
    ['BT.709 of 601', codes(1, 6)],
    ['primaries that are not told', codes(2, 13)],
    ['a curve that is not told', codes(1, 2)],
    ['a gamma of 1/2.2', { kind: 'gamma', gamma: 0.45455 }],
    ['a gamma of 0.46', { kind: 'gamma', gamma: 0.46 }],
  ])('that mean sRGB, as %s, make no profile', (_what, color) => {
    for (const format of ['jpeg', 'webp', 'tiff'] as const) {
      expect(outputColors(shape(3), format, { color })).toMatchObject({ icc: undefined, warnings: [] });
    }
  });

  it.each<[StatedColor]>([[codes(9, 9)], [codes(10, 8)], [codes(99, 13)]])(
    'that no profile can say are warned of: %j',
    (color) => {
      const { icc, warnings } = outputColors(shape(3), 'jpeg', { color });
      expect(icc).toBeUndefined();
      expect(warnings).toEqual([expect.stringContaining('the colours are taken for sRGB')]);
    },
  );

  it('of sRGB are no chunk in PNG', () => {
    expect(outputColors(shape(3), 'png', { color: codes(1, 13) }).chunks).toEqual([]);
    expect(outputColors(shape(3), 'png', { color: codes(1, 1) }).chunks).toHaveLength(1);
  });

  const spaces = [4, 5, 6, 7, 8, 9, 11, 12, 22].flatMap((primaries) =>
    [4, 5, 7, 8, 13, 14, 16, 17, 18].map((transfer) => [primaries, transfer] as const),
  );
  it.each(spaces)(
    'by the codes %d/%d make a profile that LittleCMS and every writer takes',
    async (primaries, transfer) => {
      for (const [format, channels] of [
        ['jpeg', 3],
        ['tiff', 1],
        ['webp', 1],
      ] as readonly [OutputFormat, Channels][]) {
        const { icc } = outputColors(shape(channels), format, { color: codes(primaries, transfer) });
        expect(icc && mendProfile(icc)).toEqual({ profile: icc, mended: undefined });
      }
      const { icc } = outputColors(shape(3), 'jpeg', { color: codes(primaries, transfer) });
      const white = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'white' } })
        .png()
        .toBuffer();
      const tagged = Buffer.concat([white.subarray(0, 33), iccChunk(icc), white.subarray(33)]);
      const { data } = await sharp(tagged).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
      for (const sample of data.subarray(0, 3)) expect(sample).toBeGreaterThanOrEqual(253); // white is white in every space
    },
  );
});

function iccChunk(icc: Uint8Array | undefined): Uint8Array {
  return makePngChunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(icc ?? new Uint8Array())]));
}

describe('AVIF of one channel', () => {
  it.each([
    ['stays gray', 'one-channel', [60, 110, 160, 210]],
    ['in the range of video is stretched to all levels, as Pillow does', 'one-channel-video', [61, 109, 160, 210]],
  ])('%s', async (_what, name, expected) => {
    const { image } = await decodeImage(`${FIXTURES}${name}.avif`, LIMITS);
    const corners = [0, 31, 31 * 32, 32 * 32 - 1].map((at) => image.data[at]);
    expect([image.channels, corners]).toEqual([1, expected]);
  });

  it('of 10 bits in the range of video is stretched, and its alpha is not', () => {
    const data = Uint16Array.from([64, 500, 502, 1023, 940, 64, 20, 0, 1000, 1], (level) =>
      Math.round((level / 1023) * 65_535),
    );
    const stretched = fromVideoRange({ width: 5, height: 1, channels: 2, depth: 16, data }, 10);
    const levels = Array.from(stretched.data, (sample) => Math.round((sample / 65_535) * 876));
    expect(levels.filter((_, i) => i % 2 === 0)).toEqual([0, 438, 876, 0, 876]);
    expect(stretched.data[1]).toBe(data[1]);
  });
});

describe('A picture whose colours are multiplied with alpha', () => {
  it.each(['multiplied.avif', '../imaging/heic/multiplied.heic'])(
    'has the colours that they were: %s',
    async (file) => {
      const { image } = await decodeImage(FIXTURES + file, LIMITS);
      const patches = [0, 31, 31 * 32, 32 * 32 - 1].map((pixel) => [...image.data.subarray(pixel * 4, pixel * 4 + 4)]);
      const expected = [
        [200, 100, 50, 255],
        [200, 100, 50, 128],
        [40, 80, 160, 64],
        [0, 0, 0, 0],
      ];
      const off = patches.map((color, i) =>
        Math.max(...color.map((level, c) => Math.abs(level - (expected[i]?.[c] ?? 0)))),
      );
      expect(image.channels).toBe(4);
      for (const [i, most] of [1, 4, 8, 0].entries()) expect(off[i]).toBeLessThanOrEqual(most); // a level of what was multiplied
    },
  );
});
