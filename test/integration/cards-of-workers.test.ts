import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CardRota, cardOfDevice, cardsForWorkers } from '../../app/worker/card-rota.ts';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { childProcesses } from '../support/child-processes.ts';
import { plantNvidiaSmi, TWO_CARDS } from '../support/nvidia-smi.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { workerConfig } from '../support/upscale-task.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  await plantNvidiaSmi(folder.path, TWO_CARDS);
});
afterAll(() => folder.remove());

const NEVER = new Promise(() => undefined);

describe('the cards of workers', () => {
  it.each([
    ['several workers take all that CUDA may use', { workers: 2 }, {}, ['GPU-aaaa1111', 'GPU-bbbb2222']],
    ['one worker takes the first', { workers: 1 }, {}, []],
    ['a card that is named is the only one', { workers: 2, card: 1 }, {}, []],
    ['a card alone needs no choice', { workers: 2 }, { CUDA_VISIBLE_DEVICES: '1' }, []],
    ['on the CPU there are none', { workers: 2, device: 'cpu' as const }, {}, []],
  ])('%s', async (_, changes, env, expected) => {
    const config = { device: 'auto' as const, card: undefined, forceCpu: false, ...changes };
    const cards = await cardsForWorkers(config, { PATH: `${folder.path}:${process.env['PATH']}`, ...env });
    expect(cards).toEqual(expected);
  });

  it('are taken in turn, and one whose worker has ended before the others', async () => {
    const rota = new CardRota(['a', 'b']);
    const given = [0, 1, 2].map(() => {
      const card = rota.next();
      rota.hold(card, card === 'b' ? Promise.resolve() : NEVER);
      return card;
    });
    expect(given).toEqual(['a', 'b', 'a']);
    await Promise.resolve();
    expect(rota.next()).toBe('b');
    expect(new CardRota([]).next()).toBeUndefined();
  });

  it.each([
    [1, undefined, '1'],
    [1, '3,GPU-b', 'GPU-b'],
    [2, '3,GPU-b', '-1'],
  ])('DEVICE=cuda:%i with CUDA_VISIBLE_DEVICES=%s is the card %s', (number, visible, card) => {
    expect(cardOfDevice(number, visible ?? undefined)).toBe(card);
  });

  it.each([
    ['that of DEVICE=cuda:1', { card: 1 }, undefined, '1'],
    ['the first of several', {}, ['GPU-x', 'GPU-y'], 'GPU-x'],
  ])('are all that a worker sees: %s', async (_, changes, cards, expected) => {
    const options = { isBackground: true, ...(cards && { cards }) };
    const pool = new WorkerPool(workerConfig(changes), options);
    try {
      await pool.warm();
      const [pid] = childProcesses();
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      expect(variables).toContain(`CUDA_VISIBLE_DEVICES=${expected}`);
      expect(variables).toContain('CUDA_DEVICE_ORDER=PCI_BUS_ID');
    } finally {
      await pool.close();
    }
  });
});
