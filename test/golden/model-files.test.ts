import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../app/architectures/inspect-checkpoint.ts';
import { checkWeights } from '../../app/checkpoints/check-weights.ts';
import { noise } from '../support/images/images.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { expectClose, readNamed } from '../support/networks/close-tensors.ts';
import { GOOD_FILES, goodAnswer, unpackGoodFiles } from '../support/checkpoints/good-files.ts';
import { buildManifestTensors, readManifest } from '../support/checkpoints/hashed-weights.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import { writeTamperedFiles } from '../support/checkpoints/tampered-files.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const READERS = fileURLToPath(new URL('../fixtures/readers/', import.meta.url));
/** The smallest of other families; `npm run agreement` has the rest. */
const MANIFESTS = ['compact_x4_super_ultra', 'SwiftSRGAN_x4', 'SAFMN_x4', 'SeemoRe_T_x4', 'DITN_x4'];
/** What sums in another order make. */
const TOLERANCE = 5e-6;

let folder: TemporaryFolder;
let child: NetworkProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  child = new NetworkProcess();
  unpackGoodFiles(folder.path);
});

afterAll(async () => {
  await child.close();
  await folder.remove();
});

describe('Checkpoints as people have them answer as PyTorch does', () => {
  it.each(GOOD_FILES)('$name', async ({ name, network, answer, left_out: leftOut = [] }) => {
    const checkpoint = join(folder.path, name);
    const input = join(folder.path, `input-${network}.safetensors`);
    const output = join(folder.path, 'output.safetensors');
    expect(await child.run({ kind: 'run-network', checkpoint, input, output })).toBeUndefined();
    expectClose(readNamed(output, 'output'), goodAnswer(answer), TOLERANCE);
    expect(inspectCheckpoint(checkpoint).left_out ?? []).toEqual(expect.arrayContaining([...leftOut]));
  });
});

describe('What inspect says of a file is what upscale makes of it', () => {
  /** Undefined where it is good. */
  function inspected(file: string): string | undefined {
    try {
      inspectCheckpoint(file, checkWeights);
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  async function upscaled(file: string): Promise<string | undefined> {
    const image = noise({ width: 24, height: 24, channels: 3, depth: 8 });
    const tiling = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: false } as const;
    try {
      const jobs = [{ image, tiling }];
      const [result] = await child.upscale({ kind: 'upscale', files: { file }, jobs, folder: folder.path });
      return result && result.image.width % 24 === 0 ? undefined : 'no picture of its size';
    } catch (error) {
      return (error instanceof Error ? error.message : '').split('\n')[0]; // the child's own stack
    }
  }

  /** How many of the files are good. */
  async function agreed(files: readonly string[]): Promise<number> {
    const told: (string | undefined)[] = [];
    for (const file of files) {
      const said = inspected(file);
      expect([file, await upscaled(file)]).toEqual([file, said]);
      told.push(said);
    }
    return told.filter((said) => said === undefined).length;
  }

  it('of good ones in odd clothes', async () => {
    const files = GOOD_FILES.filter(({ name }, i) => name.startsWith('net-') || i % 6 === 0);
    expect(await agreed(files.map(({ name }) => join(folder.path, name)))).toBe(files.length);
  });

  it('of networks that lack a tensor, have one too many, or a wrong one', async () => {
    const files = writeTamperedFiles(folder.path).map((name) => join(folder.path, name));
    expect(files.length).toBeGreaterThan(60);
    expect(await agreed(files)).toBe(10); // those with a counter more
  });

  it('of damaged, hostile and foreign ones', async () => {
    const files = readdirSync(READERS).filter((name) => !name.endsWith('.json'));
    expect(await agreed(files.map((name) => join(READERS, name)))).toBe(0);
  });

  it.each(MANIFESTS)('of %s', async (name) => {
    const manifest = readManifest(name);
    const file = join(folder.path, `${name}.pth`);
    writeCheckpoint(file, buildManifestTensors(manifest), { format: 'pth-zip', root: manifest.root });
    expect(await agreed([file])).toBe(1);
  });
});
