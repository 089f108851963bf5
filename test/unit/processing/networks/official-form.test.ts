import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildImageGraph } from '../../../../app/architectures/image-graph.ts';
import { recognise } from '../../../../app/architectures/registry.ts';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../../app/checkpoints/read-tensor.ts';
import type { TensorData } from '../../../../app/checkpoints/safetensors-writer.ts';
import type { Calibration } from '../../../../app/processing/networks/int8-calibration.ts';
import { officialForm } from '../../../../app/processing/networks/official-form.ts';
import type { ShippedRecipe } from '../../../../app/processing/networks/official-recipes.ts';
import { officialRecipes, weightSamples } from '../../../../app/processing/networks/official-recipes.ts';
import { passesGate } from '../../../../app/quantization/fidelity.ts';
import { convsOf } from '../../../../app/quantization/folded-weights.ts';
import { convsOfHead } from '../../../../app/quantization/enlarging-head.ts';
import type { HeadValueRecipe } from '../../../../app/quantization/head-recipe.ts';
import type { Int8Parts } from '../../../../app/quantization/int8-graph.ts';
import { int8PartsOf } from '../../../../app/quantization/int8-graph.ts';
import { GOOD_FIGURES } from '../../../support/forms/fidelity-figures.ts';
import { recipeAsked, shippableMeasures } from '../../../support/forms/shippable-measures.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readVariant, variantNames } from '../../../support/checkpoints/hashed-weights.ts';
import { smallNetwork, smallTensors } from '../../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const SHA256 = 'a'.repeat(64);
const CORRELATIONS = [1, ...Array<number>(12).fill(0.5)];

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);

/** Writes a small network's weights, a little changed where `change` says so. @returns its file */
function writeNetwork(
  name: string,
  floats: 'float32' | 'float16',
  change: (value: number, tensor: string) => number = (value) => value,
): string {
  const tensors = new Map<string, TensorData>();
  for (const [key, tensor] of smallTensors(smallNetwork('new-x2'))) {
    tensors.set(key, { ...tensor, data: (tensor.data as Float32Array).map((value) => change(value, key)) });
  }
  writeCheckpoint(at(name), tensors, { format: 'pth-zip', floats });
  return at(name);
}

/** A recipe for the weights of a file, as if it had been calibrated. */
function recipeFor(file: string): ShippedRecipe {
  const dict = openCheckpoint(file);
  const parts = partsOf(file);
  const { blocks, head } = parts;
  const trunk = Array<number>(blocks[0]?.last.weight.shape[0] ?? 0).fill(1);
  return {
    ...{ version: 1, name: 'small', sha256: SHA256, architecture: 'ESRGAN', digest: '0123456789abcdef' },
    calibrated_on: { source: 'scenes', crops: 8 },
    measured: { 127: GOOD_FIGURES },
    samples: weightSamples(parts, (name) => readTensor(dict, name)),
    recipe: {
      trunk,
      blocks: blocks.map((block) => ({
        ...{ input: 0.02, output: 0.02 },
        convs: convsOf(block)
          .slice(0, -1)
          .map(({ weight }) => Array<number>(weight.shape[0] ?? 0).fill(0.02)),
        means: Array<number>(block.last.weight.shape[1] ?? 0).fill(3),
        correlations: CORRELATIONS,
      })),
      head:
        head &&
        convsOfHead(head).map(({ weight }, index) => headValue(weight.shape[1] ?? 0, index === head.convs.length)),
    },
  };
}

/** @param isLast what the last convolution reads has two bytes a channel */
function headValue(channels: number, isLast: boolean): HeadValueRecipe {
  const scales = Array<number>(isLast ? 2 * channels : channels).fill(0.02);
  return { zero: isLast ? 0 : 192, scales, means: scales.map(() => 3), correlations: CORRELATIONS };
}

function partsOf(file: string): Int8Parts {
  const network = recognise(openCheckpoint(file));
  return int8PartsOf(buildImageGraph(network, { width: null, height: null, channels: 3, depth: 8 }));
}

/** Its numbers, in an order that tells forms apart. */
function bytesOf({ numbers }: Calibration, file: string): string {
  const { head } = numbers;
  const operands = [
    ...partsOf(file)
      .blocks.flatMap(convsOf)
      .map((conv) => numbers.operands(conv)),
    ...(head?.convs.flat() ?? []),
  ];
  return JSON.stringify([
    ...[...numbers.trunk, ...numbers.blocks, ...(head?.input ?? []), ...(head?.zeros ?? [])],
    ...[...operands, ...(head ? [head.last] : [])].flatMap(({ weight, scale, bias }) =>
      [weight, scale, bias].map(({ data }) => Buffer.from(data as Uint8Array).toString('base64')),
    ),
  ]);
}

describe('The int8 form of an official model', () => {
  it('is made of a file with its weights, also where they went through fp16, and no other', () => {
    const recipes = [recipeFor(writeNetwork('net.pth', 'float32'))];
    const form = (checkpoint: string, folder: string) =>
      officialForm({ checkpoint, sha256: SHA256, limit: 127 }, { recipes, folder: at(folder) });
    const record = { weights_sha256: SHA256, weight_limit: 127, measured: GOOD_FIGURES };
    expect(form(at('net.pth'), 'a')?.record).toMatchObject(record);
    expect(form(writeNetwork('half.pth', 'float16'), 'b')?.record).toMatchObject(record);
    expect(
      form(
        writeNetwork('other.pth', 'float32', (value) => 1.01 * value),
        'c',
      ),
    ).toBeUndefined();
    const otherHead = (value: number, tensor: string): number => (tensor.startsWith('conv_hr') ? 1.01 * value : value);
    expect(form(writeNetwork('head.pth', 'float32', otherHead), 'd')).toBeUndefined();
  });

  it('is kept from one process to the next, byte for byte, and made anew where what was kept is damaged', async () => {
    const file = writeNetwork('net.pth', 'float32');
    const recipes = [recipeFor(file)];
    const form = () => officialForm({ checkpoint: file, sha256: SHA256, limit: 127 }, { recipes, folder: at('kept') });
    const made = form();
    const kept = await readdir(at('kept'));
    expect(kept).toEqual([`${SHA256}.0123456789abcdef.127`]);
    const again = form();
    if (!made || !again) throw new Error('no form was made');
    expect(bytesOf(again, file)).toBe(bytesOf(made, file));
    await truncate(join(at('kept'), kept[0] ?? ''), 100);
    const anew = form();
    expect(anew && bytesOf(anew, file)).toBe(bytesOf(made, file));
  });

  it('is made each time where nothing can be kept', async () => {
    const file = writeNetwork('net.pth', 'float32');
    await writeFile(at('file'), 'no folder');
    const recipes = [recipeFor(file)];
    const form = officialForm({ checkpoint: file, sha256: SHA256, limit: 127 }, { recipes, folder: at('file/kept') });
    expect(form).toBeDefined();
  });

  it.each(variantNames())(
    'is not made of a network of another kind, whatever it must know of its picture: %s',
    (name) => {
      writeCheckpoint(at('net.pth'), buildManifestTensors(readVariant(name)), { format: 'pth-zip' });
      const weights = { checkpoint: at('net.pth'), sha256: SHA256, limit: 127 } as const;
      expect(officialForm(weights, { folder: at('kept') })).toBeUndefined();
    },
  );

  it('is not used on a CPU for which it was not measured', async () => {
    const file = writeNetwork('net.pth', 'float32');
    await mkdir(at('kept'));
    const options = { recipes: [recipeFor(file)], folder: at('kept') };
    expect(officialForm({ checkpoint: file, sha256: SHA256, limit: 63 }, options)).toBeUndefined();
    expect(await readdir(at('kept'))).toEqual([]);
  });
});

describe('The recipes of the package', () => {
  it.each(officialRecipes())('are for weights of the catalogue, and passed the gate: $name', ({ measured, recipe }) => {
    expect(passesGate(measured[127])).toBe(true);
    expect(recipe.blocks.every(({ means }) => means.length === 192)).toBe(true);
  });

  it('are made of what passed: narrow weights below the gate are left out, and nothing is made of wide ones', () => {
    const bad = { ...GOOD_FIGURES, psnr_change_worst: -0.46 };
    const both = { 127: GOOD_FIGURES, 63: GOOD_FIGURES };
    expect(shippableMeasures(both)).toEqual({ measured: both, told: '' });
    expect(shippableMeasures({ ...both, 63: bad })).toEqual({
      measured: { 127: GOOD_FIGURES },
      told: 'weights to 63 were left out: its worst change of PSNR is -0.46, where at least -0.4 is asked',
    });
    expect(() => shippableMeasures({ ...both, 127: bad })).toThrow('no recipe was written: its worst change of PSNR');
  });

  it.each([[[]], [['--help']], [['name', 'file.pth']], [['name', 'file.pth', 'photos', '64']]])(
    'are asked for by name, weights and photos: not by %j',
    (args) => expect(recipeAsked(args)).toBeUndefined(),
  );
});
