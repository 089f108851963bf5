import { describe, expect, it } from '@jest/globals';
import { outputOptions } from '../../../app/options/output-options.ts';

describe('the format that is asked for', () => {
  it.each([
    ['jpg', 'jpeg'],
    ['JPG', 'jpeg'],
    [' jpe ', 'jpeg'],
    ['tif', 'tiff'],
    ['PNG', 'png'],
    ['auto', 'auto'],
  ])('is known by its name or by an ending of its files, as %j is', (word, format) => {
    expect(outputOptions.parse({ output_format: word }).output_format).toBe(format);
  });

  it.each(['jpeg2000', '.jpg', '', 'svg'])('is refused with those that there are where it is %j', (word) => {
    const { error } = outputOptions.safeParse({ output_format: word });
    expect(error?.issues[0]?.message).toMatch(/auto, png, jpeg/);
  });
});
