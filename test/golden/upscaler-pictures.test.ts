import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { BitDepth, Channels, Image } from '../../app/imaging/image.ts';
import type { TilingOptions } from '../../app/processing/upscale/tile-grid.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest, readVariant } from '../support/checkpoints/hashed-weights.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import { difference, gradient, noise } from '../support/images/images.ts';

interface UpscalerUnderTest {
  readonly manifest: string;
  readonly scale: number;
  /** By how many levels of 255 tiles with the network's own halo may differ from the whole picture. */
  readonly seam: number;
}

/** One of each way to make tiles, the smallest there is: exact by the halo, with margins of its own, in windows. */
const UPSCALERS: readonly UpscalerUnderTest[] = [
  { manifest: 'spanx4_ch48', scale: 4, seam: 1 },
  { manifest: 'RealCUGAN_x2', scale: 2, seam: 2 },
  { manifest: 'SwinIR-S_lightweight_x2', scale: 2, seam: 1 },
];

/** The first two are tried with each network, the others, which are the same planes, with the first. */
const KINDS: readonly (readonly [name: string, channels: Channels, depth: BitDepth])[] = [
  ['gray', 1, 8],
  ['colour and alpha of 16 bits', 4, 16],
  ['colour', 3, 8],
  ['colour and alpha', 4, 8],
  ['gray of 16 bits', 1, 16],
];

const at = networkInFolder();

/** Images of one task: they share what is loaded, as those of a batch do. */
async function upscale(file: string, images: readonly Image[], tiling: Partial<TilingOptions>): Promise<Image[]> {
  const whole = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: false, ...tiling } as const;
  const jobs = images.map((image) => ({ image, tiling: whole }));
  const results = await at.child.upscale({ kind: 'upscale', files: { file }, jobs, folder: at.folder });
  return results.map(({ image }) => image);
}

describe.each(UPSCALERS)('Pictures through $manifest', ({ manifest: name, scale, seam }) => {
  const kinds = KINDS.slice(0, name === UPSCALERS[0]?.manifest ? KINDS.length : 2);
  let file: string;

  beforeAll(() => {
    const manifest = readManifest(name);
    file = join(at.folder, `${name}.pth`);
    writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
  });

  it.each(kinds)('come out as they went in, %s, and the same in tiles', async (_kind, channels, depth) => {
    const image = gradient({ width: 59, height: 45, channels, depth });
    const [whole] = await upscale(file, [image], { tile: 0 });
    const [tiled] = await upscale(file, [image], { tile: 32 });
    if (!whole || !tiled) throw new Error('no results');
    expect([whole.width, whole.height, whole.channels, whole.depth]).toEqual([59 * scale, 45 * scale, channels, depth]);
    expect(difference(tiled, whole).max).toBeLessThanOrEqual(seam * (depth === 16 ? 257 : 1));
  });

  const sizes = [
    { width: 34, height: 25 },
    { width: 18, height: 37 },
  ].map((size) => gradient({ ...size, channels: 3, depth: 8 }));

  it.each([
    { tile: 'auto', tilePad: 'auto' },
    { tile: 20, tilePad: 'auto' },
    { tile: 16, tilePad: 5 },
  ] as const)('of two sizes make a batch in which each comes out as it does alone, with %j', async (tiling) => {
    const together = await upscale(file, sizes, tiling);
    for (const [index, image] of sizes.entries()) {
      const [alone] = await upscale(file, [image], tiling);
      const result = together[index];
      if (!alone || !result) throw new Error('no results');
      expect([result.width, result.height]).toEqual([image.width * scale, image.height * scale]);
      expect(difference(result, alone).max).toBeLessThanOrEqual(1);
    }
  });
});

/** Small networks of families that are large as published; those are run whole by `npm run soak:networks`. */
const VARIANTS = [
  { name: 'hat-w8', seam: 1 },
  { name: 'rgt-no-bias', seam: 16 }, // it looks at all of a picture, and a tile of it is not that
  { name: 'fdat-lda', seam: 1 },
  { name: 'grl-convolutions', seam: 1 },
] as const;

describe('Pictures with alpha through small networks of the families of windows', () => {
  it.each(VARIANTS)(
    'come out of $name enlarged, alone and in a batch of two sizes, and in tiles',
    async ({ name, seam }) => {
      const manifest = readVariant(name);
      const file = join(at.folder, `${name}.pth`);
      writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip' });
      const scale = Number(manifest.expected['scale']);
      const [first, second] = [
        { width: 40, height: 36 },
        { width: 29, height: 43 },
      ].map((size) => gradient({ ...size, channels: 4, depth: 8 })) as [Image, Image];
      const [alone] = await upscale(file, [first], { tile: 0 });
      const [together, other] = await upscale(file, [first, second], { tile: 0 });
      const [tiled] = await upscale(file, [first], { tile: 24 });
      if (!alone || !together || !other || !tiled) throw new Error('no results');
      expect(difference(together, alone).max).toBeLessThanOrEqual(1);
      expect([other.width, other.height, other.channels]).toEqual([29 * scale, 43 * scale, 4]);
      expect([tiled.width, tiled.height, tiled.channels]).toEqual([40 * scale, 36 * scale, 4]);
      expect(difference(tiled, alone).max).toBeLessThanOrEqual(seam);
    },
  );
});

describe('A GRL of small windows', () => {
  it('makes of the tiles of noise what it makes of the whole, within two levels', async () => {
    const file = join(at.folder, 'grl.pth');
    writeCheckpoint(file, buildManifestTensors(readVariant('grl-convolutions')), { format: 'pth-zip' });
    const picture = noise({ width: 104, height: 24, channels: 3, depth: 8 });
    const [whole] = await upscale(file, [picture], { tile: 0 });
    const [tiled] = await upscale(file, [picture], { tile: 32 });
    if (!whole || !tiled) throw new Error('no results');
    expect(difference(tiled, whole).max).toBeLessThanOrEqual(2);
  });
});
