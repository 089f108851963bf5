import { describe, expect, it } from '@jest/globals';
import { nearNames, unknownName } from '../../../app/catalog/unknown-name.ts';

describe('A name that nothing has', () => {
  it.each([
    ['4x-UltraShrap', '4x-UltraSharp'],
    ['4x_ultrasharp.pth', '4x-UltraSharp'],
    ['UltraSharp', '4x-UltraSharp'],
    ['REALESRGAN_X4PLUSS', 'realesrgan-x4plus'],
    ['codformer', 'codeformer'],
  ])('%s may be meant for %s', (asked, meant) => {
    expect(nearNames(asked, ['4x-UltraSharp', 'realesrgan-x4plus', 'realesrgan-x2plus', 'codeformer'])[0]).toBe(meant);
  });

  it('may be meant for nothing', () => {
    expect(nearNames('FANCY', ['4x-UltraSharp', 'AUTO', 'NEAREST'])).toEqual([]);
    expect(nearNames('x', ['ax', 'bx'])).toEqual([]);
  });

  it('is told with what is known, as much as a line holds', () => {
    const known = Array.from({ length: 600 }, (_, i) => `model-${i}`);
    const words = unknownName('modle-17', known);
    expect(words).toMatch(/^Did you mean 'model-17'\? Known: model-0, model-1, .* and 5\d\d more$/);
    expect(words.length).toBeLessThan(400);
    expect(unknownName('x', ['a', 'b'], 'It is asleep.')).toBe('It is asleep. Known: a, b');
  });
});
