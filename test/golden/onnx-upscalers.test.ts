import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Image } from '../../app/imaging/image.ts';
import type { TilingOptions } from '../../app/processing/upscale/tile-grid.ts';
import { noise } from '../support/images/images.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import type { OnnxExport } from '../support/networks/onnx-upscaler.ts';
import { writeOnnxUpscaler } from '../support/networks/onnx-upscaler.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const WHOLE: TilingOptions = { tile: 0, tilePad: 'auto', prePad: 0, isOpaque: false };
const COLOR = noise({ width: 37, height: 29, channels: 3, depth: 8 });
const ALPHA = noise({ width: 30, height: 26, channels: 4, depth: 8 });
const GRAY = noise({ width: 28, height: 25, channels: 1, depth: 8 });
const DEEP = noise({ width: 26, height: 31, channels: 3, depth: 16 });
const LARGE = noise({ width: 211, height: 130, channels: 3, depth: 8 });

/** Levels of 8 bits by which two pictures differ at most, but for `edge` pixels at the right and the bottom. */
function levelsApart(one: Image, other: Image, edge: number): number {
  const { width, height, channels, depth, data } = other;
  expect(one).toMatchObject({ width, height, channels, depth });
  const row = width * channels;
  let most = 0;
  for (const [i, sample] of one.data.entries()) {
    const isEdge = i % row >= row - edge * channels || i >= (height - edge) * row;
    if (!isEdge) most = Math.max(most, Math.abs(sample - (data[i] ?? 0)));
  }
  return depth === 16 ? most / 257 : most;
}

describe('a network that somebody exported to ONNX makes the picture that its checkpoint makes', () => {
  let folder: TemporaryFolder;
  let networks: NetworkProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    networks = new NetworkProcess();
  });
  afterAll(async () => {
    await networks.close();
    await folder.remove();
  });

  const upscaled = async (file: string, images: readonly Image[], tiling: Partial<TilingOptions> = {}) => {
    const jobs = images.map((image) => ({ image, tiling: { ...WHOLE, ...tiling } }));
    return networks.upscale({ kind: 'upscale', files: { file }, jobs, folder: folder.path });
  };
  const apart = async (
    options: OnnxExport,
    images: readonly Image[],
    tiling: Partial<TilingOptions> = {},
    edge = 0,
  ) => {
    const name = Object.values(options).join('-');
    writeOnnxUpscaler(folder.path, name, options);
    const wanted = await upscaled(join(folder.path, `${name}.safetensors`), images, tiling);
    const made = await upscaled(join(folder.path, `${name}.onnx`), images, tiling);
    const levels = made.map(({ image }, i) => levelsApart(image, wanted[i]?.image ?? image, edge));
    return { levels, tiles: made.map(({ used }) => used.tiles) };
  };

  it.each<[string, OnnxExport, Image[], number]>([
    ['of floats, for colour, gray, alpha and 16 bits', { network: 'new-x4' }, [COLOR, GRAY, ALPHA, DEEP], 0.01],
    ['in halves, within a level', { network: 'new-x2', element: 'float16' }, [COLOR], 1],
    ['of bytes with the channels last', { network: 'compact-x2', element: 'uint8', layout: 'nhwc' }, [ALPHA], 1],
    ['that counts to 255', { network: 'compact-x2', full: 255 }, [COLOR], 0.01],
    ['of gray', { network: 'compact-x2-gray' }, [GRAY, ALPHA], 0.01],
    ['in two files', { network: 'compact-x2', dataFile: 'two.onnx.data' }, [COLOR], 0.01],
    ['that takes alpha', { network: 'new-x2-rgba' }, [COLOR, ALPHA], 0.01],
    ['that says nothing of its channels', { network: 'compact-x3', isOpen: true }, [COLOR], 0.01],
    ['that folds pixels, for odd sides, within a level', { network: 'new-x2-unshuffle2' }, [COLOR, ALPHA], 1],
  ])('%s', async (_what, options, images, most) => {
    const { levels } = await apart(options, images);
    expect(Math.max(...levels)).toBeLessThanOrEqual(most);
  });

  it('in tiles, and in mirrored views', async () => {
    const { levels, tiles } = await apart({ network: 'compact-x4' }, [COLOR, ALPHA], { tile: 16, views: 4 });
    expect(Math.max(...levels)).toBeLessThanOrEqual(0.01);
    expect(tiles).toEqual([6, 4]);
  });

  it('of one size, for pictures that are smaller, larger and wider', async () => {
    const options = { network: 'compact-x2-no-convs', width: 96, height: 72 };
    // At the edges of its own picture the checkpoint's convolutions see zeros; of a padded one they see it mirrored.
    const { levels, tiles } = await apart(options, [COLOR, LARGE, DEEP], {}, 8);
    expect(Math.max(...levels)).toBeLessThanOrEqual(0.01);
    expect(tiles).toEqual([1, 8, 1]);
  });

  it('whose file is another now, though it has its name', async () => {
    const name = join(folder.path, 'replaced.onnx');
    for (const network of ['compact-x2', 'compact-x4']) {
      writeFileSync(name, writeOnnxUpscaler(folder.path, network, { network }));
      const [made] = await upscaled(name, [GRAY]);
      expect(made?.image.width).toBe(GRAY.width * (network === 'compact-x2' ? 2 : 4));
    }
  });
});
