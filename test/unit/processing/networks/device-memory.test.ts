import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../app/config.ts';
import { deviceMemory } from '../../../../app/processing/networks/device-memory.ts';
import { plantNvidiaSmi, TWO_CARDS } from '../../../support/nvidia-smi.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

/** In a process of its own, as workers are: what `nvidia-smi` on its PATH answers is made up. */
async function tilesWith(cards: readonly string[], env: Readonly<Record<string, string>>) {
  const child = fileURLToPath(new URL('../../../support/networks/upscaler-tiles-child.ts', import.meta.url));
  const programs = await plantNvidiaSmi(folder.path, cards);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child], {
    env: { PATH: `${programs}:${process.env['PATH']}`, ...env },
  });
  return JSON.parse(stdout) as { bytes: number; seen: number; device: string; tile: number; tiles: number };
}

describe('deviceMemory', () => {
  it('is the part of a worker of what its card has, and tiles are cut by it until the CPU takes over', async () => {
    const cards = [...TWO_CARDS.slice(0, 1), '1, GPU-bbbb2222, Small, 1200, 900, 580.95.05'];
    const told = await tilesWith(cards, { CUDA_VISIBLE_DEVICES: 'GPU-bbbb2222', WORKERS: '4' });
    expect(told.bytes).toBe(0.6 * 300 * 2 ** 20);
    expect(told.seen).toBeLessThan(400); // by a tile on that card
    expect(told).toMatchObject({ device: 'cpu', tile: 992, tiles: 4 }); // as where no card was asked for
  });

  it('is that of GPU_MEMORY_MB where that is set, and of no account to the CPU', async () => {
    const memory = await deviceMemory(loadConfig({ GPU_MEMORY_MB: '10000' }), ['cuda', 'cpu']);
    expect([memory('cuda'), memory('cpu')]).toEqual([0.6 * 10000 * 2 ** 20, undefined]);
    const large = await deviceMemory(loadConfig({ GPU_MEMORY_MB: '200000' }), ['mps', 'cpu']);
    expect(large('mps')).toBe(32e9);
  });
});
