import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CheckpointInspector } from '../../app/catalog/inspection/checkpoint-inspector.ts';
import { difference, noise } from '../support/images/images.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import { writeOnnxUpscaler } from '../support/networks/onnx-upscaler.ts';

const PICTURE = noise({ width: 90, height: 70, channels: 3, depth: 8 });

/** One of three convolutions; one of many, which folds four pixels into one first. */
const MODELS = [
  { network: 'compact-x2', least: 3, most: 6 },
  { network: 'new-x1-unshuffle4', least: 24, most: 96 },
] as const;

const at = networkInFolder();

describe.each(MODELS)('The ONNX file of $network', ({ network, least, most }) => {
  let file: string;

  beforeAll(() => {
    file = join(at.folder, `${network}.onnx`);
    writeOnnxUpscaler(at.folder, network, { network });
  });

  it(`is found out to need a halo of ${least} to ${most} pixels, and some memory`, async () => {
    const { onnx } = await new CheckpointInspector().inspect(file);
    expect(onnx?.needs.halo).toBeGreaterThanOrEqual(least);
    expect(onnx?.needs.halo).toBeLessThanOrEqual(most);
    expect(onnx?.needs.workingBytesPerPixel).toBeLessThan(20_480);
  });

  it('makes of tiles what it makes of the whole picture, within a level', async () => {
    const jobs = ([0, 24] as const).map((tile) => ({
      image: PICTURE,
      tiling: { tile, tilePad: 'auto', prePad: 0, isOpaque: true } as const,
    }));
    const [whole, tiled] = await at.child.upscale({ kind: 'upscale', files: { file }, jobs, folder: at.folder });
    if (!whole || !tiled) throw new Error('no results');
    expect(tiled.used.tiles).toBeGreaterThan(1);
    expect(difference(tiled.image, whole.image).max).toBeLessThanOrEqual(1);
  });
});
