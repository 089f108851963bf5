import { describe, expect, it } from '@jest/globals';
import type { Rung } from '../../../app/processing/tasks.ts';
import type { FailedRun } from '../../../app/worker/fallback-ladder.ts';
import { isOfImage, nextRung } from '../../../app/worker/fallback-ladder.ts';

const first: Rung = { excludedDevices: [], finished: [] };
const crash = (device: 'cuda' | 'cpu', tile: number, side = 4000): FailedRun => ({
  reason: 'was killed by SIGKILL',
  hasStarted: true,
  image: 0,
  on: { device, tile, side },
});

describe('the fallback ladder', () => {
  it('takes smaller tiles on the same device first, then the CPU, and ends there', () => {
    const told: string[] = [];
    let failed: FailedRun | undefined = crash('cuda', 0);
    let rung = first;
    for (;;) {
      const lower = nextRung(rung, failed);
      if (!lower) break;
      rung = lower.rung;
      told.push(`${lower.fallback.from} -> ${lower.fallback.to}`);
      expect(lower.fallback.reason).toBe('was killed by SIGKILL');
      const device = rung.excludedDevices.includes('cuda') ? 'cpu' : 'cuda';
      failed = crash(device, rung.maxTile ?? 256);
    }
    expect(told).toEqual([
      'whole image -> tile 400',
      'tile 400 -> tile 200',
      'tile 200 -> tile 100',
      'tile 100 -> tile 64',
      'cuda -> cpu',
      'tile 256 -> tile 200',
      'tile 200 -> tile 100',
      'tile 100 -> tile 64',
    ]);
  });

  it('leaves out tiles that are as large as the image: they would be the same work again', () => {
    expect(nextRung(first, crash('cpu', 0, 150))?.fallback).toMatchObject({ from: 'whole image', to: 'tile 100' });
    expect(nextRung(first, crash('cpu', 992, 90))?.rung.maxTile).toBe(64);
    expect(nextRung(first, crash('cpu', 0, 64))).toBeUndefined();
  });

  it('leaves out what the image can do without when nothing else is left, for that image alone', () => {
    const withoutIt = { from: 'gfpgan-1.4', to: 'no face restoration' };
    const failed = (device: 'cuda' | 'cpu', image?: number): FailedRun => ({
      reason: 'was killed by SIGKILL',
      hasStarted: true,
      on: { device, tile: 0, side: 0, withoutIt },
      ...(image !== undefined && { image }),
    });
    const onCpu = nextRung({ ...first, withoutFaces: [1] }, failed('cuda', 2));
    expect(onCpu).toMatchObject({ rung: { excludedDevices: ['cuda'], withoutFaces: [1] }, fallback: { to: 'cpu' } });
    expect(onCpu?.image).toBeUndefined();
    expect(nextRung({ ...first, maxTile: 64, withoutFaces: [1] }, failed('cpu', 2))).toEqual({
      rung: { ...first, maxTile: 64, withoutFaces: [1, 2] },
      fallback: { ...withoutIt, reason: 'was killed by SIGKILL' },
      image: 2,
    });
    expect(nextRung(first, failed('cpu'))).toBeUndefined();
  });

  it('changes the device where the device failed, whatever the tile', () => {
    const failure = { code: 'ERR_INFERENCE', fault: 'machine', message: 'no', remedy: 'device' } as const;
    const rung = nextRung({ ...first, finished: [3] }, { ...crash('cuda', 256), failure, reason: 'no' });
    expect(rung).toEqual({
      rung: { excludedDevices: ['cuda'], finished: [3] },
      fallback: { from: 'cuda', to: 'cpu', reason: 'no' },
    });
    expect(nextRung(first, { ...crash('cpu', 256), failure })).toBeUndefined();
  });

  it('ends where trying again cannot help', () => {
    const failure = { code: 'ERR_BAD_CHECKPOINT', fault: 'model', message: 'no' } as const;
    expect(nextRung(first, { ...crash('cuda', 256), failure })).toBeUndefined();
    expect(nextRung(first, { reason: 'was killed by SIGSEGV', hasStarted: true, image: 0 })).toBeUndefined();
  });

  it('blames the image for a crash and for what ran out, and the task for what was said of it', () => {
    const failure = { code: 'ERR_INFERENCE', fault: 'machine', message: 'out of memory' } as const;
    expect(isOfImage(crash('cpu', 64))).toBe(true);
    expect(isOfImage({ ...crash('cpu', 64), failure: { ...failure, remedy: 'memory' } })).toBe(true);
    expect(isOfImage({ ...crash('cpu', 64), failure })).toBe(false);
    expect(isOfImage({ reason: 'was killed by SIGKILL', hasStarted: true })).toBe(false);
  });
});
