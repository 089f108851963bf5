import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../app/architectures/inspect-checkpoint.ts';
import type { TensorData } from '../../app/checkpoints/safetensors-writer.ts';
import type { Channels, Image } from '../../app/imaging/image.ts';
import { allocateSamples } from '../../app/imaging/image.ts';
import type { TilingOptions } from '../../app/processing/upscale/tile-grid.ts';
import { difference, noise } from '../support/images/images.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { readNamed } from '../support/networks/close-tensors.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import {
  networkFixture,
  smallNetwork,
  smallTensors,
  writeSmallCheckpoint,
} from '../support/networks/small-networks.ts';
import { refusalOf } from '../support/refusal-of.ts';

interface ChannelCase {
  readonly name: string;
  readonly network: string;
  readonly bits: 8 | 16;
  readonly is_opaque: boolean;
}

const CASES = JSON.parse(readFileSync(networkFixture('channels.json'), 'utf8')) as readonly ChannelCase[];
const NETWORKS = [...new Set(CASES.map(({ network }) => network))];
const WHOLE = { tile: 0, tilePad: 'auto', prePad: 0, isOpaque: false } as const;
/** Sums differ in the last bits, and so a sample may be rounded to its neighbour. */
const LEVELS = { 8: 1, 16: 16 } as const;

const at = networkInFolder();

function checkpoint(name: string): string {
  return writeSmallCheckpoint(at.folder, name);
}

/** The results of one session, one after another. */
async function upscale(
  file: string,
  jobs: readonly { readonly image: Image; readonly tiling?: Partial<TilingOptions> }[],
): Promise<readonly Image[]> {
  const whole = jobs.map(({ image, tiling }) => ({ image, tiling: { ...WHOLE, ...tiling } }));
  const results = await at.child.upscale({ kind: 'upscale', files: { file }, jobs: whole, folder: at.folder });
  return results.map(({ image }) => image);
}

function golden(name: string, depth: 8 | 16): Image {
  const { shape, values } = readNamed(networkFixture('channels.safetensors'), name);
  const [height = 0, width = 0, channels = 0] = shape;
  const data = allocateSamples(depth, values.length);
  data.set(values);
  return { width, height, channels: channels as Channels, depth, data };
}

describe.each(NETWORKS)('%s takes every kind of picture', (network) => {
  it('as chaiNNer does', async () => {
    const cases = CASES.filter((row) => row.network === network);
    const jobs = cases.map(({ name, bits, is_opaque: isOpaque }) => ({
      image: golden(`${name}.input`, bits),
      tiling: { isOpaque },
    }));
    const results = await upscale(checkpoint(network), jobs);
    for (const [i, { name, bits }] of cases.entries()) {
      const result = results[i];
      if (!result) throw new Error('no result');
      expect([name, difference(result, golden(`${name}.output`, bits)).max <= LEVELS[bits]]).toEqual([name, true]);
    }
  });
});

describe.each(['compact-x2-rgba', 'compact-x2-gray-to-rgb', 'new-x2-rgb-to-gray', 'new-x2-rgb-to-rgba'])(
  'Tiles of %s',
  (network) => {
    it("are the same as one piece, with gray, colour and alpha, on the reference's grid and in mirrored views", async () => {
      const file = checkpoint(network);
      for (const channels of [1, 4] as const) {
        const image = noise({ width: 26, height: 19, channels, depth: 8 });
        const reference = { tilePad: 14, prePad: 2 };
        const pairs = [
          [{}, { tile: 12 }],
          [reference, { ...reference, tile: 12 }],
          [{ views: 4 }, { views: 4, tile: 16 }],
        ] as const;
        const results = await upscale(
          file,
          pairs.flat().map((tiling) => ({ image, tiling })),
        );
        for (const [i] of pairs.entries()) {
          const [whole, tiled] = results.slice(2 * i);
          if (!whole || !tiled) throw new Error('no result');
          expect(difference(tiled, whole).max).toBeLessThanOrEqual(1);
        }
      }
    });
  },
);

/** An ESRGAN that takes and gives other channels than any picture has. */
function otherChannels(inputs: number, outputs: number): Map<string, TensorData> {
  const network = smallNetwork('new-x2');
  const tensors = smallTensors(network);
  const resize = (name: string, axis: 0 | 1, size: number): void => {
    const old = tensors.get(name);
    if (!old) throw new Error(`no ${name}`);
    const shape = old.shape.map((length, i) => (i === axis ? size : length));
    tensors.set(name, { ...old, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  };
  resize('conv_first.weight', 1, inputs);
  resize('conv_last.weight', 0, outputs);
  resize('conv_last.bias', 0, outputs);
  return tensors;
}

describe('A network of channels that no picture has', () => {
  it.each([
    [2, 2, 'takes 2 channels and gives 2'],
    [6, 3, 'takes 6 channels and gives 3'],
    [1, 2, 'takes 1 channel and gives 2'],
  ])('is refused in the same words by inspect and by upscale: %i to %i', async (inputs, outputs, words) => {
    const file = join(at.folder, 'odd.pth');
    writeCheckpoint(file, otherChannels(inputs, outputs), { format: 'pth-zip' });
    const { message } = refusalOf(() => inspectCheckpoint(file));
    expect(message).toBe(`odd.pth: this ESRGAN ${words}; pictures have 1, 3 or 4`);
    const image = noise({ width: 24, height: 24, channels: 3, depth: 8 });
    await expect(upscale(file, [{ image }])).rejects.toThrow(message);
  });
});
