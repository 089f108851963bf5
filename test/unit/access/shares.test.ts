import { describe, expect, it } from '@jest/globals';
import { Shares } from '../../../app/access/shares.ts';

describe('Shares', () => {
  it('gives each caller so many and no more', () => {
    const shares = new Shares(2);
    expect([shares.take('a'), shares.take('a')]).toEqual([expect.any(Function), expect.any(Function)]);
    expect(shares.take('a')).toBeUndefined();
    expect(shares.take('b')).toBeDefined();
  });

  it('takes one back once, however often it is given back', () => {
    const shares = new Shares(2);
    const giveBack = shares.take('a');
    shares.take('a');
    giveBack?.();
    giveBack?.();
    expect(shares.take('a')).toBeDefined();
    expect(shares.take('a')).toBeUndefined();
  });
});
