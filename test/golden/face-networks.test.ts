import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../app/checkpoints/safetensors-writer.ts';
import { caseFile } from '../support/cases.ts';
import { compareOutput, faceCaseInput, readFaceCase } from '../support/faces/face-case.ts';
import { runFaceNetworks } from '../support/faces/face-networks.ts';
import { describeWithReference } from '../support/reference.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Run {
  readonly name: string;
  readonly golden: string;
  readonly w?: number;
  /** Outputs of the case, by the tensors that are written. */
  readonly outputs: Readonly<Record<string, string>>;
}

interface NetworkUnderTest {
  readonly manifest: string;
  readonly runs: readonly Run[];
  /** Its graph from pixels to pixels is tried as well: of one without scalars and one with them. */
  readonly isFromPixels?: boolean;
}

const same = (...names: readonly string[]): Run['outputs'] => Object.fromEntries(names.map((name) => [name, name]));

const NETWORKS: readonly NetworkUnderTest[] = [
  {
    manifest: 'detection_Resnet50_Final',
    runs: ['90x121', '96x128'].map((size) => ({
      name: size,
      golden: `detection_Resnet50_Final_${size}`,
      outputs: same('loc', 'conf', 'landms'),
    })),
  },
  {
    manifest: 'parsing_parsenet',
    runs: [{ name: '192x256', golden: 'parsing_parsenet_192x256', outputs: same('out_mask', 'out_img', 'label') }],
  },
  {
    manifest: 'GFPGANv1.4',
    isFromPixels: true,
    runs: [{ name: '512x512', golden: 'GFPGANv1.4_512x512', outputs: same('output') }],
  },
  {
    manifest: 'RestoreFormer',
    runs: [{ name: '512x512', golden: 'RestoreFormer_512x512', outputs: same('output', 'indices') }],
  },
  {
    manifest: 'codeformer',
    isFromPixels: true,
    runs: [
      {
        name: 'no fidelity given',
        golden: 'codeformer_512x512',
        outputs: { output: 'output_w0.5', ...same('logits', 'lq_feat', 'top_idx') },
      },
      { name: 'w = 0', golden: 'codeformer_512x512', w: 0, outputs: { output: 'output_w0' } },
      { name: 'w = 1', golden: 'codeformer_512x512', w: 1, outputs: { output: 'output_w1' } },
    ],
  },
];

const TIMEOUT_MS = 300_000;

describe.each(NETWORKS)('$manifest at full size', ({ manifest, runs, isFromPixels = false }) => {
  let folder: TemporaryFolder;
  const written = (run: number): string => join(folder.path, `out-${run}.safetensors`);
  const restored = (): string => join(folder.path, 'restored.safetensors');

  beforeAll(async () => {
    folder = await temporaryFolder();
    const files = runs.map(({ golden, w }, index) => {
      const input = join(folder.path, `in-${index}.safetensors`);
      const tensors = new Map([['input', faceCaseInput(readFaceCase(golden))]]);
      if (w !== undefined) tensors.set('w', { shape: [1], dtype: 'float32', data: Float32Array.of(w) });
      writeSafetensors(input, tensors);
      return { input, output: written(index) };
    });
    const picture = { input: caseFile('face-a').replace('.safetensors', '.png'), output: restored() };
    await runFaceNetworks({ manifest, runs: files, ...(isFromPixels ? { picture } : {}) });
  }, TIMEOUT_MS);

  afterAll(() => folder.remove());

  describe.each(runs.map((run, index) => ({ ...run, index })))('$name', ({ golden, outputs, index }) => {
    const expected = readFaceCase(golden);
    it.each(Object.entries(outputs))('answers %s as PyTorch does', (tensor, output) => {
      const { largest, differing } = compareOutput(expected, output, { file: written(index), tensor });
      const { tolerance, may_differ: mayDiffer = 0 } = expected.outputs[output] ?? {};
      if (tolerance === undefined) expect(differing).toBeLessThanOrEqual(mayDiffer);
      else expect(largest).toBeLessThanOrEqual(tolerance);
    });
  });

  if (!isFromPixels) return;

  it('restores pixels to the same face', () => {
    const pixels = readTensor(openCheckpoint(restored()), 'pixels');
    const face = readTensor(openCheckpoint(written(0)), 'output');
    const area = face.length / 3;
    let differing = 0;
    pixels.forEach((pixel, i) => {
      const value = Math.max(-1, Math.min(1, face[(i % 3) * area + Math.trunc(i / 3)] ?? NaN));
      const apart = Math.abs(pixel - ((value + 1) / 2) * 255);
      differing += apart <= 0.501 ? 0 : 1;
    });
    expect(differing).toBe(0);
  });
});

describeWithReference('A restored face', ['goldens', 'pipelines', 'face', 'facexlib.json'], (index) => {
  it('becomes the pixels that tensor2img makes of it', async () => {
    const folder = await temporaryFolder();
    const { tensor2img } = JSON.parse(readFileSync(index, 'utf8')) as {
      tensor2img: { values: readonly number[]; uint8: readonly number[] };
    };
    const output = join(folder.path, 'pixels.safetensors');
    await runFaceNetworks({ values: tensor2img.values, output });
    const pixels = readTensor(openCheckpoint(output), 'pixels');
    await folder.remove();
    expect([...pixels]).toEqual(tensor2img.uint8.flatMap((value) => [value, value, value]));
  });
});
