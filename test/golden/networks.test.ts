import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../app/architectures/inspect-checkpoint.ts';
import { loadConfig } from '../../app/config.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { caseFile } from '../support/cases.ts';
import type { CheckpointLayout } from '../support/checkpoints/checkpoint-writer.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import type { BuiltTensor, Manifest } from '../support/checkpoints/hashed-weights.ts';
import {
  buildManifestTensors,
  readManifest,
  readVariant,
  variantNames,
} from '../support/checkpoints/hashed-weights.ts';
import { networkInFolder } from '../support/networks/network-in-folder.ts';
import {
  networkFixture,
  readSmallNetworks,
  smallNetwork,
  writeSmallNetwork,
} from '../support/networks/small-networks.ts';
import { expectClose, readNamed } from '../support/networks/close-tensors.ts';

interface PublishedNetwork {
  readonly manifest: string;
  /** What PyTorch's own noise allows, by the size of the input. */
  readonly cases: Readonly<Record<string, number>>;
  readonly alsoAs?: LayoutName;
}

/** Ways to save the same weights. The first is tried with every network, the others with those that are the quickest. */
const LAYOUTS = {
  'as it was published': (root): CheckpointLayout => ({ format: 'pth-zip', root }),
  'as safetensors': () => ({ format: 'safetensors' }),
  'as a bare state dict': () => ({ format: 'pth-zip', root: null }),
  'as torch 1.5 would save it': (root) => ({ format: 'pth-legacy', root }),
  'as nn.DataParallel names it': () => ({ format: 'pth-zip', root: 'state_dict', prefix: 'module.' }),
  'as GAN trainers of old saved it': () => ({ format: 'pth-legacy', root: 'model', prefix: 'netG.' }),
  'as safetensors of a DataParallel': () => ({ format: 'safetensors', prefix: 'module.' }),
} satisfies Record<string, (root: string | null) => CheckpointLayout>;

type LayoutName = keyof typeof LAYOUTS;

/** The small networks are saved in each of these in turn. */
const FORMATS = ['safetensors', 'pth-zip', 'pth-legacy'] as const;

const PUBLISHED: readonly PublishedNetwork[] = [
  { manifest: 'RealESRGAN_x4plus', cases: { '27x19': 2e-5, '5x3': 3e-5 } },
  { manifest: 'RealESRGAN_x2plus', cases: { '37x29': 2e-5, '32x24': 2e-5 } },
  { manifest: 'RealESRNet_x4plus', cases: { '19x27': 2e-5 } },
  { manifest: 'RealESRGAN_x4plus_anime_6B', cases: { '23x17': 2e-5 }, alsoAs: 'as nn.DataParallel names it' },
  { manifest: 'RRDB_ESRGAN_x4_old_arch', cases: { '21x18': 2e-5 } },
  { manifest: 'ESRGAN_1x_old_arch', cases: { '37x29': 2e-5 } },
  { manifest: 'ESRGAN_2x_old_arch', cases: { '29x37': 3e-5 } },
  { manifest: 'nESRGANplus_x4', cases: { '18x21': 2e-5 } },
  { manifest: 'BSRGAN_x4', cases: { '17x23': 2e-5 } },
  { manifest: 'realesr-animevideov3', cases: { '27x22': 2e-5 }, alsoAs: 'as a bare state dict' },
  { manifest: 'realesr-general-x4v3', cases: { '23x25': 2e-5 }, alsoAs: 'as safetensors of a DataParallel' },
  { manifest: 'realesr-general-wdn-x4v3', cases: { '23x25': 2e-5 }, alsoAs: 'as torch 1.5 would save it' },
  { manifest: 'compact_x2_ultra', cases: { '37x29': 2e-5 } },
  { manifest: 'compact_x4_super_ultra', cases: { '25x23': 2e-5 } },
  { manifest: 'spanx4_ch48', cases: { '27x21': 4e-5 }, alsoAs: 'as safetensors' },
  { manifest: 'PLKSR_x4', cases: { '21x24': 2e-5 }, alsoAs: 'as safetensors' },
  { manifest: 'RealPLKSR_x4', cases: { '25x22': 2e-5 } },
  { manifest: 'RealPLKSR_x4_dysample', cases: { '22x25': 2e-5 } },
  { manifest: 'RealCUGAN_x2', cases: { '27x32': 2e-5 } },
  { manifest: 'RealCUGAN_x2_fast', cases: { '42x47': 2e-5 } },
  { manifest: 'RealCUGAN_x4_pro', cases: { '21x26': 2e-5 } },
  { manifest: 'MoSR_x4', cases: { '21x28': 3e-5 } },
  { manifest: 'MoSR_x2_gps', cases: { '33x26': 2e-5 } },
  { manifest: 'RCAN_x4', cases: { '20x27': 2e-5 } },
  { manifest: 'RCAN_x2_unshuffle', cases: { '37x29': 2e-5 } },
  { manifest: 'SwiftSRGAN_x4', cases: { '23x19': 2e-5 } },
  { manifest: 'SAFMN_x4', cases: { '22x27': 2e-5 } },
  { manifest: 'SeemoRe_T_x4', cases: { '21x26': 2e-5 } },
  { manifest: 'DITN_x4', cases: { '21x27': 2e-5 } },
  { manifest: 'MoESR_x4', cases: { '21x24': 2e-5 } },
  { manifest: 'DCTLSA_x4', cases: { '27x20': 2e-5 } },
  { manifest: 'SCUNet_color_real', cases: { '64x64': 2e-5, '61x45': 2e-5 } },
  { manifest: 'DnCNN_color_blind', cases: { '31x40': 2e-5 }, alsoAs: 'as safetensors' },
  { manifest: 'DRUNet_color', cases: { '37x30': 2e-5 } },
  { manifest: 'Restormer_deraining', cases: { '37x29': 1e-4 } },
  { manifest: 'SwinIR-M_classical_x4', cases: { '21x27': 2e-5 } },
  { manifest: 'SwinIR-M_real_x4', cases: { '27x19': 2e-5 } },
  { manifest: 'SwinIR-M_colorCAR_w7', cases: { '30x37': 2e-5 } },
  { manifest: 'DAT_2_x4', cases: { '21x26': 4e-5 } },
  { manifest: 'SwinIR-S_lightweight_x2', cases: { '37x29': 2e-5 }, alsoAs: 'as safetensors' },
  { manifest: 'OmniSR_x4', cases: { '27x20': 2e-5 } },
  { manifest: 'OmniSR_x2', cases: { '40x32': 2e-5 }, alsoAs: 'as safetensors' },
  { manifest: 'SRFormer_light_x4', cases: { '37x27': 2e-5 } },
  { manifest: 'Swin2SR_light_x2', cases: { '29x36': 2e-5 } },
  { manifest: 'DRCT_x4', cases: { '32x16': 2e-5 } },
  { manifest: 'ATD_x4', cases: { '27x20': 2e-5 } },
  { manifest: 'RGT_S_x4', cases: { '20x18': 2e-5 } },
  { manifest: 'CRAFT_x4', cases: { '16x32': 2e-5 } },
  { manifest: 'FDAT_M_x4', cases: { '21x26': 2e-5 } },
  { manifest: 'GRL_small_x4_w8', cases: { '27x36': 2e-5 } },
  { manifest: 'compact_x1', cases: { '41x33': 2e-5 }, alsoAs: 'as GAN trainers of old saved it' },
];

/** Made by the script in it. */
const VARIANTS = new URL('../fixtures/variants/', import.meta.url);

const at = networkInFolder();

async function expectAnswer(checkpoint: string, golden: string, tolerance: number): Promise<void> {
  const output = join(at.folder, 'output.safetensors');
  expect(await at.child.run({ kind: 'run-network', checkpoint, input: golden, output })).toBeUndefined();
  expectClose(readNamed(output, 'output'), readNamed(golden, 'output'), tolerance);
}

describe('Networks at their published size answer as PyTorch does', () => {
  describe.each(PUBLISHED)('$manifest', ({ manifest: name, cases, alsoAs }) => {
    let manifest: Manifest;
    let tensors: Map<string, BuiltTensor>;

    beforeAll(() => {
      manifest = readManifest(name);
      tensors = buildManifestTensors(manifest);
    });

    afterAll(() => tensors.clear());

    const layouts: LayoutName[] = ['as it was published', ...(alsoAs ? [alsoAs] : [])];

    it.each(layouts)('%s', async (layout) => {
      const file = join(at.folder, `${name}.pth`);
      const written = LAYOUTS[layout](manifest.root);
      writeCheckpoint(file, tensors, written);
      const { left_out: leftOut = [], ...report } = inspectCheckpoint(file);
      expect(report).toEqual(reportOf(manifest, written.format));
      expect(leftOut.filter((left) => !/\.num_batches(_tracked|…')$|^and \d+ more$/.test(left))).toEqual([]);
      expect(leftOut.length > 0).toBe(manifest.tensors.some((tensor) => tensor.name.endsWith('.num_batches_tracked')));
      for (const [size, tolerance] of Object.entries(cases)) {
        await expectAnswer(file, caseFile(`${name}_${size}`), tolerance);
      }
      rmSync(file);
    });
  });
});

/** What the manifest says that is to be found out. */
function reportOf({ expected, tensors }: Manifest, format: CheckpointLayout['format']) {
  const counts = tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  return {
    architecture: expected['architecture'],
    scale: expected['scale'],
    input_channels: expected['in_nc'],
    output_channels: expected['out_nc'],
    parameters: expected['hyperparameters'],
    tensors: tensors.length,
    parameter_count: counts.reduce((a, b) => a + b, 0),
    format,
  };
}

describe('Real-CUGAN of the pro kind', () => {
  it.each(['pth-zip', 'pth-legacy'] as const)('is told by its mark, which in a %s is no tensor', async (format) => {
    const tensors = buildManifestTensors(readManifest('RealCUGAN_x4_pro'));
    tensors.delete('pro');
    const file = join(at.folder, 'pro.pth');
    writeCheckpoint(file, tensors, { format, marks: ['pro'] });
    expect(inspectCheckpoint(file).parameters).toMatchObject({ pro: true });
    await expectAnswer(file, caseFile('RealCUGAN_x4_pro_21x26'), 2e-5);
  });
});

describe('Two checkpoints blended', () => {
  it('answer as PyTorch does with the interpolated weights', async () => {
    const [checkpoint, second] = ['realesr-general-x4v3', 'realesr-general-wdn-x4v3'].map((name, i) => {
      const manifest = readManifest(name);
      const file = join(at.folder, `${name}.pth`);
      const format = i === 0 ? 'pth-zip' : 'pth-legacy';
      writeCheckpoint(file, buildManifestTensors(manifest), { format, root: manifest.root });
      return file;
    }) as [string, string];
    const output = join(at.folder, 'output.safetensors');
    const input = caseFile('realesr-general-dni03_23x25');
    const blend = { file: second, strength: 0.3 };
    expect(await at.child.run({ kind: 'run-blended', checkpoint, blend, input, output })).toBeUndefined();
    expectClose(readNamed(output, 'output'), readNamed(input, 'output'), 2e-5);
    rmSync(checkpoint);
    rmSync(second);
  });
});

describe('Every variant that keys and shapes can express', () => {
  const variants = readSmallNetworks().map((network, i) => ({ ...network, format: FORMATS[i % 3] ?? 'pth-zip' }));

  it.each(variants)('$name is what spandrel takes it for, and answers as it does ($format)', async (network) => {
    const file = join(at.folder, `${network.name}.pth`);
    writeSmallNetwork(file, network, network.format);
    expect(inspectCheckpoint(file)).toMatchObject({ ...network.expected, format: network.format });
    await expectAnswer(file, networkFixture(`${network.name}.safetensors`), 2e-5);
  });
});

describe('A variant that no published file shows', () => {
  const variants = variantNames().map((name, i) => ({ name, format: FORMATS[i % 3] ?? 'pth-zip' }));

  it.each(variants)(
    '$name is what spandrel takes it for, and answers as it does ($format)',
    async ({ name, format }) => {
      const manifest = readVariant(name);
      const file = join(at.folder, `${name}.pth`);
      writeCheckpoint(file, buildManifestTensors(manifest), { format });
      const { architecture, scale, parameters } = inspectCheckpoint(file);
      expect({ architecture, scale }).toEqual({
        architecture: manifest.expected['architecture'],
        scale: manifest.expected['scale'],
      });
      const told = manifest.expected['hyperparameters'] as Record<string, unknown>;
      const shared = Object.keys(parameters).filter((key) => key in told);
      expect(shared.map((key) => [key, parameters[key]])).toEqual(shared.map((key) => [key, told[key]]));
      await expectAnswer(file, fileURLToPath(new URL(`${name}.safetensors`, VARIANTS)), 2e-5);
      rmSync(file);
    },
  );
});

describe('A checkpoint', () => {
  const network = smallNetwork('new-x2-unshuffle2');
  const golden = networkFixture(`${network.name}.safetensors`);

  it('runs from a folder and a file that cannot be written', async () => {
    const place = join(at.folder, 'read-only');
    await mkdir(place);
    const file = join(place, 'weights.pth');
    writeSmallNetwork(file, network, 'pth-zip');
    chmodSync(file, 0o444);
    chmodSync(place, 0o555);
    await expectAnswer(file, golden, 2e-5);
    chmodSync(place, 0o755);
  });

  it('runs through a link of another name in another folder, as the caches of model hubs have them', async () => {
    const place = join(at.folder, 'blobs');
    await mkdir(place);
    writeSmallNetwork(join(place, '4fa0d38905f7'), network, 'safetensors');
    const link = join(at.folder, 'weights.safetensors');
    symlinkSync(join(place, '4fa0d38905f7'), link);
    await expectAnswer(link, golden, 2e-5);
  });

  it('runs from a path with spaces, letters of any script and a percent sign', async () => {
    const place = join(at.folder, 'my models %41', 'モデル');
    await mkdir(place, { recursive: true });
    const file = join(place, 'größe 2×.pth');
    writeSmallNetwork(file, network, 'pth-zip');
    await expectAnswer(file, golden, 2e-5);
  });
});

describe('The worker', () => {
  let pool: WorkerPool;

  beforeAll(() => {
    pool = new WorkerPool(loadConfig({}), { isBackground: false });
  });

  afterAll(() => pool.close());

  it.each(['new-x2-unshuffle2', 'compact-x4-bfloat16'])('runs the bare network of %s', async (name) => {
    const network = smallNetwork(name);
    const checkpoint = join(at.folder, `${name}.pth`);
    writeSmallNetwork(checkpoint, network, 'pth-legacy');
    const golden = networkFixture(`${name}.safetensors`);
    const output = join(at.folder, 'worker.safetensors');
    await pool.run({ kind: 'run-network', checkpoint, input: golden, output });
    expectClose(readNamed(output, 'output'), readNamed(golden, 'output'), 2e-5);
  });

  it('says what it expected of a tensor that is no input of the network', async () => {
    const network = smallNetwork('compact-x2-gray');
    const checkpoint = join(at.folder, 'gray.pth');
    writeSmallNetwork(checkpoint, network, 'safetensors');
    const input = networkFixture('compact-x2.safetensors');
    const output = join(at.folder, 'none.safetensors');
    await expect(pool.run({ kind: 'run-network', checkpoint, input, output })).rejects.toMatchObject({
      code: 'ERR_BAD_PARAMETER',
      message: expect.stringContaining("expected a tensor 'input' of shape [N, 1, H, W], got [1, 3, 7, 5]") as unknown,
    });
  });
});
