import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../app/jobs/job.ts';
import { ServiceRate } from '../../../app/jobs/service-rate.ts';

describe('the time until a job has ended', () => {
  const job = (startedSecondsAgo: number, secondsLeft?: number) =>
    ({
      status: 'processing',
      startedAt: Date.now() - startedSecondsAgo * 1000,
      queuePosition: 0,
      work: { kind: 'hires-fix' },
      progress: { progress: 0.01, secondsLeft },
    }) as Job;

  it('is told by the mean of others at first, and by its own pace later', () => {
    const rate = new ServiceRate(1, 100);
    expect(rate.secondsUntilEnd(job(30))).toBe(70);
    expect(rate.secondsUntilEnd(job(30, 90.3))).toBe(90);
  });

  it('is never 0 while work is left, and unknown where others were done by now', () => {
    const rate = new ServiceRate(1, 10);
    expect(rate.secondsUntilEnd(job(1000))).toBeUndefined();
    expect(rate.secondsUntilEnd(job(9.9))).toBe(1);
    expect(rate.secondsUntilEnd(job(1, 0.001))).toBe(1);
  });

  it('is not negative where the clock was set back', () => {
    const rate = new ServiceRate(1, 10);
    expect(rate.secondsUntilEnd(job(-7200))).toBe(10);
  });

  it('of the one that ends first is when a full queue has a place', () => {
    const rate = new ServiceRate(2, 4);
    expect(rate.secondsUntilFree([job(100, 100), job(30, 90)])).toBe(90);
    expect(rate.secondsUntilFree([job(99), job(69.9)])).toBe(70); // slower than others were: as long again
    expect(rate.secondsUntilFree([job(1), job(99, 99)])).toBe(3);
    expect(rate.secondsUntilFree([job(1000, 9000), job(1000, 9000)])).toBe(300); // nobody is sent away for longer
    expect(rate.secondsUntilFree([job(99, 99)])).toBe(2); // a worker is free
    expect(new ServiceRate(1).secondsUntilFree()).toBe(10);
  });
});
