import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { downloadReport } from '../../../app/processing/download-report.ts';
import type { WorkProgress } from '../../../app/processing/progress.ts';
import { StageClock } from '../../../app/processing/stage-clock.ts';

describe('the report of a download', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const started = () => {
    const told: WorkProgress[] = [];
    return {
      told,
      report: downloadReport(StageClock.ofImage({ image: 0, images: 1 }, (progress) => told.push(progress))),
    };
  };

  it('passes on how far it is, also where nobody knows of how much', () => {
    const { told, report } = started();
    report.onProgress({ downloadedBytes: 10, totalBytes: null });
    report.onProgress({ downloadedBytes: 50, totalBytes: 200 });
    report.stop();
    expect(told).toMatchObject([
      { stage: 'downloading', stageProgress: 0, downloadedBytes: 10 },
      { stage: 'downloading', stageProgress: 0.25, downloadedBytes: 50, totalBytes: 200 },
    ]);
    expect(told[0]).not.toHaveProperty('totalBytes');
  });

  it('goes on while the download waits, so that its worker is not taken to hang', () => {
    const { told, report } = started();
    report.onProgress({ downloadedBytes: 50, totalBytes: 200 });
    jest.advanceTimersByTime(120_000); // as long as a busy server may ask us to wait
    expect(told.length).toBeGreaterThanOrEqual(12);
    expect(new Set(told.map(({ stageProgress }) => stageProgress))).toEqual(new Set([0.25]));
    report.stop();
    const count = told.length;
    jest.advanceTimersByTime(120_000);
    expect(told).toHaveLength(count);
  });

  it('says nothing where nothing is downloaded', () => {
    const { told, report } = started();
    report.stop();
    jest.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
  });
});
