import { describe, expect, it } from '@jest/globals';
import type { Stage, WorkProgress } from '../../../app/processing/progress.ts';
import { WorkPace } from '../../../app/processing/work-pace.ts';

/** When, by seconds, a stage had come how far, and the whole task with it. */
type Step = readonly [seconds: number, stage: Stage, stageProgress: number, progress: number];

function secondsLeft(steps: readonly Step[], isDownload = false): readonly (number | undefined)[] {
  const pace = new WorkPace({ isDownload });
  return steps.map(([seconds, stage, stageProgress, progress]) => {
    const told: WorkProgress = { stage, stageProgress, progress, image: 1, images: 1 };
    const left = pace.told(told, seconds * 1000).secondsLeft;
    return left === undefined ? undefined : Math.round(left * 10) / 10;
  });
}

describe('the pace of work', () => {
  it('leaves out what was fetched and loaded before it', () => {
    const steps: readonly Step[] = [
      [2, 'downloading', 0, 0],
      [60, 'downloading', 1, 0],
      [61, 'loading', 0, 0],
      [90, 'loading', 1, 0.1],
      [91, 'upscaling', 0.1, 0.19],
      [95, 'upscaling', 0.5, 0.55],
    ];
    expect(secondsLeft(steps)).toEqual([undefined, undefined, undefined, undefined, 9, 5]);
  });

  it('leaves out a model that is loaded between two parts of the work', () => {
    const steps: readonly Step[] = [
      [0, 'restoring', 0, 0],
      [10, 'restoring', 1, 0.5],
      [10, 'loading', 0, 0.5],
      [70, 'colorizing', 0, 0.5],
      [72, 'colorizing', 0.2, 0.6],
    ];
    expect(secondsLeft(steps)).toEqual([undefined, 10, 10, 10, 8]);
  });

  it('is told of a long task after some seconds, and not by the first of many tiles', () => {
    const steps: readonly Step[] = [
      [0, 'loading', 1, 0],
      [0.5, 'upscaling', 0.01, 0.01],
      [4, 'upscaling', 0.02, 0.02],
    ];
    expect(secondsLeft(steps)).toEqual([undefined, undefined, 196]);
  });

  it('of a download is that of what came, without what lay there before', () => {
    const steps: readonly Step[] = [
      [1, 'downloading', 0.5, 0.5],
      [2, 'downloading', 0.6, 0.6],
    ];
    expect(secondsLeft(steps, true)).toEqual([undefined, 4]);
  });

  it('is not told while nothing is done', () => {
    const steps: readonly Step[] = [
      [0, 'upscaling', 0, 0],
      [0, 'upscaling', 0, 0],
      [9, 'upscaling', 0, 0],
    ];
    expect(secondsLeft(steps)).toEqual([undefined, undefined, undefined]);
  });
});
