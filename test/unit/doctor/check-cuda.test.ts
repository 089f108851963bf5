import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkCuda } from '../../../app/doctor/check-cuda.ts';
import { plantNvidiaSmi, TWO_CARDS } from '../../support/nvidia-smi.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** What is said where there are these cards (made up) and no provider, as after `npm ci`. */
async function problemsWith(cards: readonly string[], config: Partial<Parameters<typeof checkCuda>[0]> = {}) {
  const programs = await plantNvidiaSmi(folder.path, cards);
  const asked = { card: undefined, device: 'auto' as const, forceCpu: false, ...config };
  return (await checkCuda(asked, { PATH: `${programs}:${process.env['PATH']}` })).problems;
}

describe('checkCuda', () => {
  it('has nothing to say where there is no card and none is asked for', async () => {
    expect(await problemsWith([])).toEqual([]);
    expect(await problemsWith([], { device: 'cuda', forceCpu: true })).toEqual([]);
  });

  it('says which CUDA the driver of a card that is not used takes, and how to get there', async () => {
    const [old] = await problemsWith(['0, GPU-a, NVIDIA T4, 15360, 15000, 550.54.14']);
    expect(old).toMatchObject({ is_error: false, problem: expect.stringContaining('NVIDIA T4: it is not used') });
    expect(old?.remedy).toContain('takes CUDA 12: ONNXRUNTIME_NODE_INSTALL=cuda12 node');
    expect(old?.remedy).not.toContain('onnxruntime-gpu');
    const [recent] = await problemsWith(TWO_CARDS);
    expect(recent?.remedy).toMatch(/takes both.*wheel onnxruntime-gpu==\d+\.\d+\.\d+ beside libonnxruntime\.so\.1/);
  });

  it('takes it for an error where CUDA was asked for by name', async () => {
    expect(await problemsWith([], { device: 'cuda' })).toMatchObject([
      { is_error: true, problem: 'DEVICE=cuda: the CUDA provider of onnxruntime is not installed' },
    ]);
  });
});
