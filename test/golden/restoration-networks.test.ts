import { beforeAll, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { caseFile } from '../support/cases.ts';
import { readManifest } from '../support/checkpoints/hashed-weights.ts';
import type { HashedNetworkResult, NetworkRun } from '../support/networks/run-hashed-network.ts';
import { runHashedNetwork } from '../support/networks/run-hashed-network.ts';
import { largestDifference } from '../support/networks/largest-difference.ts';

interface NetworkCase extends Pick<NetworkRun, 'localBaseSize' | 'target'> {
  readonly name: string;
  readonly tolerance: number;
}

interface NetworkUnderTest {
  readonly manifest: string;
  readonly cases: readonly NetworkCase[];
  /** Takes gigabytes: only where HIRESFIX_FULL_SIZE is set. */
  readonly isHuge?: boolean;
}

/** Tolerances of the goldens: multiples of the reference's own float32 noise. */
const NETWORKS: readonly NetworkUnderTest[] = [
  {
    manifest: 'NAFNet-SIDD-width32',
    cases: [
      { name: 'NAFNet-SIDD-width32_45x51', tolerance: 2e-5 },
      { name: 'NAFNet-SIDD-width32_45x51', tolerance: 2e-5, target: 'gpu' },
      { name: 'NAFNet-SIDD-width32_7x5', tolerance: 2e-5 },
    ],
  },
  { manifest: 'NAFNet-SIDD-width64', cases: [{ name: 'NAFNet-SIDD-width64_29x37', tolerance: 2e-5 }] },
  {
    manifest: 'NAFNet-GoPro-width64',
    cases: [
      { name: 'NAFNet-GoPro-width64_37x29', tolerance: 2e-5 },
      { name: 'NAFNet-GoPro-width64-tlc_61x53', tolerance: 2e-5, localBaseSize: 48 },
    ],
  },
  { manifest: 'FBCNN_color', cases: [{ name: 'FBCNN_color_36x43', tolerance: 2e-5 }] },
  {
    manifest: 'ddcolor_paper_tiny',
    cases: [
      { name: 'ddcolor_paper_tiny_128x128', tolerance: 3e-3 },
      { name: 'ddcolor_paper_tiny_160x96', tolerance: 4e-3 },
    ],
  },
  { manifest: 'ddcolor_modelscope', cases: [{ name: 'ddcolor_modelscope_128x128', tolerance: 2e-3 }], isHuge: true },
  {
    manifest: 'ColorizeArtistic_gen',
    cases: [
      { name: 'ColorizeArtistic_gen_96x96', tolerance: 5e-4 },
      { name: 'ColorizeArtistic_gen_80x80', tolerance: 5e-4 },
    ],
  },
  { manifest: 'ColorizeStable_gen', cases: [{ name: 'ColorizeStable_gen_64x64', tolerance: 3e-4 }], isHuge: true },
];

const TIMEOUT_MS = 300_000;

describe.each(NETWORKS)('$manifest at full size', ({ manifest, cases, isHuge = false }) => {
  if (isHuge && !process.env['HIRESFIX_FULL_SIZE']) {
    it.skip('takes gigabytes, and HIRESFIX_FULL_SIZE is not set', () => undefined);
    return;
  }

  let result: HashedNetworkResult;
  beforeAll(async () => {
    const inputs = cases.map(({ name, ...options }) => ({ input: caseFile(name), ...options }));
    result = await runHashedNetwork(manifest, inputs);
  }, TIMEOUT_MS);

  it('is recognised by its keys, with its parameters', () => {
    const { expected } = readManifest(manifest);
    expect(result.seen.architecture).toBe(expected['architecture']);
    expect(result.seen.scale).toBe(expected['scale']);
    expect(result.seen.inputChannels).toBe(expected['in_nc'] ?? expected['input_channels']);
    expect(result.seen.outputChannels).toBe(expected['out_nc'] ?? expected['output_channels']);
    expect(result.seen.parameters).toEqual(expected['hyperparameters'] ?? expected['parameters']);
  });

  const targeted = cases.map((one, index) => ({ target: 'cpu', ...one, index }));
  it.each(targeted)(
    'answers $name, built for a $target, within $tolerance of PyTorch',
    ({ name, tolerance, index }) => {
      const output = result.outputs[index] ?? new Float32Array();
      const expected = readTensor(openCheckpoint(caseFile(name)), 'output');
      expect(largestDifference(output, expected)).toBeLessThanOrEqual(tolerance);
    },
  );
});
