import { describe, expect, it } from '@jest/globals';
import { TokenBuckets } from '../../../app/access/token-buckets.ts';

describe('TokenBuckets', () => {
  it('gives as many at once as a minute brings, then says when the next one comes', () => {
    const buckets = new TokenBuckets(3);
    const taken = Array.from({ length: 4 }, () => buckets.take('a', 0));
    expect(taken.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(taken[3]).toMatchObject({ retryAfterSeconds: 20, resetSeconds: 60 });
    expect(buckets.take('a', 19_999).isAllowed).toBe(false);
    expect(buckets.take('a', 20_000).isAllowed).toBe(true);
  });

  it('has a bucket for each caller', () => {
    const buckets = new TokenBuckets(1);
    expect(['a', 'b', 'a'].map((caller) => buckets.take(caller, 0).isAllowed)).toEqual([true, true, false]);
  });

  it.each([6, 60, 600])('lets %p a minute through in the long run, however many come', (perMinute) => {
    const buckets = new TokenBuckets(perMinute);
    const minutes = 20;
    const everyMs = 60_000 / (perMinute * 10);
    let allowed = 0;
    for (let now = 0; now < minutes * 60_000; now += everyMs) if (buckets.take('a', now).isAllowed) allowed++;
    expect(Math.abs(allowed / ((minutes + 1) * perMinute) - 1)).toBeLessThan(0.01);
  });
});
