import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../app/jobs/job.ts';
import { ServiceRate } from '../../../app/jobs/service-rate.ts';

describe('the time until a job has ended', () => {
  const job = (startedSecondsAgo: number, progress: number) =>
    ({
      status: 'processing',
      startedAt: Date.now() - startedSecondsAgo * 1000,
      queuePosition: 0,
      work: { kind: 'hires-fix' },
      progress: { progress },
    }) as Job;

  it('is told by the mean of others at first, and by its own speed later', () => {
    const rate = new ServiceRate(1, 100);
    expect(rate.secondsUntilEnd(job(30, 0.01))).toBe(70);
    expect(rate.secondsUntilEnd(job(30, 0.25))).toBe(90);
  });

  it('is never 0 while work is left, and unknown where others were done by now', () => {
    const rate = new ServiceRate(1, 10);
    expect(rate.secondsUntilEnd(job(1000, 0.01))).toBeUndefined();
    expect(rate.secondsUntilEnd(job(9.9, 0.01))).toBe(1);
    expect(rate.secondsUntilEnd(job(1, 0.999))).toBe(1);
  });

  it('is not negative where the clock was set back', () => {
    const rate = new ServiceRate(1, 10);
    expect(rate.secondsUntilEnd(job(-7200, 0.5))).toBe(1);
    expect(rate.secondsUntilEnd(job(-7200, 0.01))).toBe(10);
  });

  it('of the one that ends first is when a full queue has a place', () => {
    const rate = new ServiceRate(2, 4);
    expect(rate.secondsUntilFree([job(100, 0.5), job(30, 0.25)])).toBe(90);
    expect(rate.secondsUntilFree([job(99, 0.01), job(70, 0.01)])).toBe(70); // slower than others were: as long again
    expect(rate.secondsUntilFree([job(1, 0.001), job(99, 0.5)])).toBe(3);
    expect(rate.secondsUntilFree([job(1000, 0.1), job(1000, 0.1)])).toBe(300); // nobody is sent away for longer
    expect(rate.secondsUntilFree([job(99, 0.5)])).toBe(2); // a worker is free
    expect(new ServiceRate(1).secondsUntilFree()).toBe(10);
  });
});
