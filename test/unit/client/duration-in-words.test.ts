import { describe, expect, it } from '@jest/globals';
import { durationInWords } from '../../../app/client/duration-in-words.ts';

describe('a duration in words', () => {
  it.each([
    [0, '1 s'],
    [0.4, '1 s'],
    [2.6, '3 s'],
    [89.4, '89 s'],
    [90, '2 min'],
    [3600, '60 min'],
    [4200, '70 min'],
    [5400, '1 h 30 min'],
    [90_000, '25 h 0 min'],
  ])('%p s is %p', (seconds, words) => {
    expect(durationInWords(seconds)).toBe(words);
  });
});
