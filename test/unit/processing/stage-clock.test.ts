import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Stage, WorkProgress } from '../../../app/processing/progress.ts';
import type { StageShares } from '../../../app/processing/stage-clock.ts';
import { StageClock } from '../../../app/processing/stage-clock.ts';

function recording(image: number, images: number, shares: StageShares) {
  const told: WorkProgress[] = [];
  return { told, clock: StageClock.ofImage({ image, images }, (progress) => told.push(progress), shares) };
}

describe('the clock of stages', () => {
  it('turns the share of a stage into the share of the whole task', () => {
    const { told, clock } = recording(1, 4, { upscaling: [0.2, 0.8] });
    clock.at('upscaling', 0.5, { tile: 1, tiles: 2 });
    expect(told).toEqual([
      { stage: 'upscaling', progress: (1 + 0.5) / 4, stageProgress: 0.5, image: 2, images: 4, tile: 1, tiles: 2 },
    ]);
  });

  it('never goes back, whatever comes in whatever order', () => {
    const stages: Stage[] = ['downloading', 'loading', 'upscaling', 'resizing', 'encoding'];
    const step = fc.record({
      stage: fc.constantFrom(...stages),
      share: fc.double({ min: -1, max: 3, noNaN: true }),
      isLater: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { told, clock } = recording(0, 2, { loading: [0, 0.5] });
        const later = clock.span(0.1, 1, { upscaling: [0, 0.6], resizing: [0.6, 0.9], encoding: [0.9, 1] });
        for (const { stage, share, isLater } of steps) (isLater ? later : clock).at(stage, share);
        const progress = told.map((one) => one.progress);
        expect(progress).toEqual([...progress].sort((a, b) => a - b));
        expect(told.every((one) => one.progress >= 0 && one.progress <= 0.5)).toBe(true);
        expect(told.every((one) => one.stageProgress >= 0 && one.stageProgress <= 1)).toBe(true);
      }),
    );
  });

  it('gives a part of its progress away, of which a part can be given away again', () => {
    const { told, clock } = recording(0, 1, { loading: [0, 0.25] });
    clock.at('loading', 1);
    const faces = clock.span(0.5, 1, { detecting: [0, 0.5] });
    faces.at('detecting', 0);
    faces.at('detecting', 0.5);
    faces.span(0.5, 1, { restoring: [0, 1] }).at('restoring', 0.5);
    clock.at('loading', 1); // what it kept is not moved by what it gave away
    expect(told.map(({ progress }) => progress)).toEqual([0.25, 0.5, 0.625, 0.875, 0.875]);
  });

  it('takes the seconds of its parts together', async () => {
    const { clock } = recording(0, 1, {});
    const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
    const start = performance.now();
    await clock.time('restore', () => clock.span(0, 0.5).time('load', pause));
    const passed = (performance.now() - start) / 1000;
    const { load = NaN, restore = NaN } = clock.seconds();
    expect(Object.keys(clock.seconds())).toEqual(['load', 'restore', 'total']);
    expect(load).toBeGreaterThanOrEqual(0.019);
    expect(load + restore).toBeLessThanOrEqual(passed + 0.001); // what `load` took is not counted again
  });

  it('stays where it is in a stage that has no share', () => {
    const { told, clock } = recording(0, 1, { upscaling: [0, 0.6] });
    clock.at('upscaling', 1);
    clock.at('resizing', 0.5);
    expect(told.map(({ progress }) => progress)).toEqual([0.6, 0.6]);
  });

  it('adds up the seconds of a stage that comes more than once, and of one that fails', async () => {
    const { clock } = recording(0, 1, {});
    expect(await clock.time('load', () => 'value')).toBe('value');
    await clock.time('load', () => new Promise((resolve) => setTimeout(resolve, 20)));
    await expect(clock.time('decode', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const seconds = clock.seconds();
    expect(Object.keys(seconds)).toEqual(['load', 'decode', 'total']);
    expect(seconds['load']).toBeGreaterThanOrEqual(0.019);
    expect(seconds['total']).toBeGreaterThanOrEqual(seconds['load'] ?? 0);
  });
});
