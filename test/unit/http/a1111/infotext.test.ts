import { describe, expect, it } from '@jest/globals';
import { parametersOf } from '../../../../app/http/a1111/infotext.ts';
import { cpuSecondsOf } from '../../../support/cpu-seconds.ts';

describe('parametersOf', () => {
  it('takes prompts of several lines, quoted values and sizes apart', () => {
    const text = [
      'a cat,',
      'on a mat',
      'Negative prompt: dog,',
      'blurry',
      'Steps: 20, Size: 512x768, Lora hashes: "a: 1, b: \\"2\\"", Version: v1.10',
    ].join('\n');
    expect(parametersOf(text)).toEqual({
      Prompt: 'a cat,\non a mat',
      'Negative prompt': 'dog,\nblurry',
      Steps: '20',
      'Size-1': '512',
      'Size-2': '768',
      'Lora hashes': 'a: 1, b: "2"',
      Version: 'v1.10',
    });
  });

  it('leaves a last line that names less than three values to the prompt', () => {
    expect(parametersOf('a cat\nby: me, at: home')).toEqual({
      Prompt: 'a cat\nby: me, at: home',
      'Negative prompt': '',
    });
    expect(parametersOf(' \n')).toEqual({});
  });

  it.each(['a'.repeat(100_000), ' '.repeat(100_000) + ':', 'ab:"'.repeat(25_000), 'a '.repeat(50_000)])(
    'is done with a hostile text at once',
    (text) => {
      expect(cpuSecondsOf(() => parametersOf(text))).toBeLessThan(1);
    },
  );
});
