import { describe, expect, it } from '@jest/globals';
import { parsePrefer } from '../../../app/http/prefer.ts';

describe('parsePrefer', () => {
  it.each([
    [undefined, undefined, ''],
    ['respond-async', 0, 'respond-async'],
    ['Respond-Async', 0, 'respond-async'],
    ['wait=10', 10_000, 'wait=10'],
    ['wait = "5"', 5000, 'wait=5'],
    ['respond-async, wait=10', 10_000, 'wait=10'],
    ['return=minimal; foo, respond-async', 0, 'respond-async'],
    ['wait=0', 0, 'wait=0'],
    ['wait=-1', undefined, ''],
    ['wait=soon', undefined, ''],
    ['wait=99999999', 3_600_000, 'wait=3600'],
  ])('reads %j', (header, waitMs, applied) => {
    expect(parsePrefer(header)).toEqual({ waitMs, applied });
  });
});
