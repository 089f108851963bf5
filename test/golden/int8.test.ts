import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { comparedPair } from '../../app/evaluation/compared-samples.ts';
import { psnr } from '../../app/evaluation/psnr.ts';
import type { Image } from '../../app/imaging/image.ts';
import { failuresOf } from '../../app/quantization/fidelity.ts';
import { proceduralScene } from '../../app/processing/int8/scene.ts';
import type { TilingOptions } from '../../app/processing/upscale/tile-grid.ts';
import { caseFile } from '../support/cases.ts';
import { expectClose, readNamed } from '../support/networks/close-tensors.ts';
import type { HashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { difference } from '../support/images/images.ts';
import type { Damage } from '../support/forms/measured-form.ts';
import type { TiledUpscale } from '../support/networks/network-process.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import {
  networkFixture,
  readSmallNetworks,
  smallNetwork,
  smallTensors,
  writeSmallNetwork,
} from '../support/networks/small-networks.ts';

const at = networkInFolder();

/** One of each spelling, of each way to fold pixels, to store weights and to take channels. */
const NAMES = ['new-x4', 'bsrgan-x2', 'old-x4-gray', 'new-x2-unshuffle2', 'new-x1-unshuffle4', 'new-x4-float16'];
const NETWORKS = readSmallNetworks().filter(({ name }) => NAMES.includes(name));

async function expectGolden(checkpoint: string, golden: string): Promise<void> {
  const output = join(at.folder, 'output.safetensors');
  const task = { kind: 'run-unrounded', checkpoint, input: golden, output } as const;
  expect(await at.child.run(task)).toBeUndefined();
  expectClose(readNamed(output, 'output'), readNamed(golden, 'output'), 2e-5);
}

describe('The int8 graph with its scales folded and nothing rounded', () => {
  it.each(NETWORKS)('answers as PyTorch does: $name', async (network) => {
    const file = join(at.folder, `${network.name}.pth`);
    writeSmallNetwork(file, network, 'pth-zip');
    await expectGolden(file, networkFixture(`${network.name}.safetensors`));
  });

  it('does so at the size of a published network', async () => {
    const weights = createHashedCheckpoint('RealESRGAN_x4plus_anime_6B');
    await expectGolden(weights.file, caseFile('RealESRGAN_x4plus_anime_6B_23x17'));
    weights.remove();
  });
});

describe('The graph in float16', () => {
  it.each(['new-x4', 'new-x4-float16', 'new-x2-unshuffle2', 'compact-x2', 'compact-x4-bfloat16'])(
    'stays within two levels of float32: %s',
    async (name) => {
      const network = smallNetwork(name);
      const [checkpoint, output] = [join(at.folder, `${name}.pth`), join(at.folder, 'half.safetensors')];
      writeSmallNetwork(checkpoint, network, 'safetensors');
      expect(
        await at.child.run({ kind: 'run-half', checkpoint, image: proceduralScene(0, 24), output }),
      ).toBeUndefined();
      expectClose(readNamed(output, 'float16'), readNamed(output, 'float32'), 2);
    },
  );
});

describe('Tiles in int8', () => {
  let weights: HashedCheckpoint;

  beforeAll(() => {
    weights = createHashedCheckpoint('RealESRGAN_x4plus_anime_6B');
  });

  afterAll(() => weights.remove());

  async function upscale(
    image: Image,
    tiles: readonly number[],
    int8?: 'whole' | 'trunk',
  ): Promise<readonly TiledUpscale[]> {
    const tiling: TilingOptions = { tile: 0, tilePad: 'auto', prePad: 0, isOpaque: false };
    const jobs = tiles.map((tile) => ({ image, tiling: { ...tiling, tile } }));
    return at.child.upscale({ kind: 'upscale', files: { file: weights.file }, jobs, folder: at.folder, int8 });
  }

  it('cannot be seen any more than in fp32, and the same picture gives the same bytes', async () => {
    const image = proceduralScene(0, 44);
    const [whole, tiled] = await upscale(image, [0, 22]);
    const [int8Whole, int8Tiled] = await upscale(image, [0, 22], 'whole');
    const [again, againTiled] = await upscale(image, [0, 22], 'whole');
    if (!whole || !tiled || !int8Whole || !int8Tiled || !again || !againTiled) throw new Error('no result');
    expect(tiled.used.tiles).toBe(4);
    const seams = difference(whole.image, tiled.image).max;
    expect(difference(int8Whole.image, int8Tiled.image).max).toBeLessThanOrEqual(seams + 2);
    expect([difference(int8Whole.image, again.image).max, difference(int8Tiled.image, againTiled.image).max]).toEqual([
      0, 0,
    ]);
    const [trunk] = await upscale(image, [0], 'trunk');
    if (!trunk) throw new Error('no result');
    const loss = difference(whole.image, trunk.image).max;
    expect(loss).toBeGreaterThan(0); // else it was not int8 that ran
    expect(loss).toBeLessThanOrEqual(16);
    // A head of random weights loses more in 8 bits than one that was trained, and by broken scales far more.
    expect(difference(trunk.image, int8Whole.image).max).toBeGreaterThan(0);
    const pair = comparedPair(whole.image, int8Whole.image, { cropBorder: 0, isLumaOnly: true });
    expect(psnr(pair)).toBeGreaterThan(35);
  }, 120_000);
});

describe('The gate of an int8 form', () => {
  /** A small network whose dense blocks do as much as those of a trained one. */
  function writeStrongNetwork(): string {
    const checkpoint = join(at.folder, 'strong.pth');
    const tensors = smallTensors(smallNetwork('new-x2'));
    for (const [name, { data }] of tensors) {
      if (name.endsWith('conv5.weight')) (data as Float32Array).forEach((value, at, all) => (all[at] = 5 * value));
    }
    writeCheckpoint(checkpoint, tensors, { format: 'pth-zip', floats: 'float32' });
    return checkpoint;
  }

  it('is passed by a form that is whole, by none with wrong scales, and by none whose tiles show', async () => {
    const checkpoint = writeStrongNetwork();
    const failures = async (damage: Damage) =>
      failuresOf(await at.child.measure({ kind: 'measure-int8', checkpoint, damage }));
    expect(await failures('none')).toEqual([]);
    expect(await failures('half-scales')).toEqual(expect.arrayContaining(['psnr_change_mean', 'ssim_to_fp32_mean']));
    expect(await failures('seams')).toEqual(['seam']);
  }, 120_000);
});
