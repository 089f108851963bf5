import { describe, expect, it } from '@jest/globals';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';

const messagesOf = (values: Readonly<Record<string, unknown>>): string[] => {
  const parsed = upscaleOptions.extend(outputOptions.shape).safeParse(values);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('what may be asked of an upscale', () => {
  it('has defaults for what is not given', () => {
    expect(upscaleOptions.parse({})).toEqual({ upscaler: 'AUTO', pre_pad: 0 });
    expect(outputOptions.parse({})).toEqual({ output_format: 'auto', frames: 'first', metadata: 'keep' });
  });

  it('reads numbers that come as text, and drops what it does not know', () => {
    const given = {
      scale: ' 2.5 ',
      width: '100',
      tile: '0',
      tile_pad: 'auto',
      denoise_strength: '1e-1',
      tta: '4',
      color: 'red',
    };
    expect(upscaleOptions.parse(given)).toEqual({
      upscaler: 'AUTO',
      scale: 2.5,
      width: 100,
      tile: 0,
      tile_pad: 'auto',
      denoise_strength: 0.1,
      tta: 4,
      pre_pad: 0,
    });
  });

  it.each([
    [{ scale: 0 }, 'scale: must be a number above 0'],
    [{ scale: '-1' }, 'scale: must be a number above 0'],
    [{ scale: 'NaN' }, 'scale: must be a number above 0'],
    [{ scale: NaN }, 'scale: '],
    [{ scale: Infinity }, 'scale: '],
    [{ scale: '' }, 'scale: must be a number above 0'],
    [{ scale: ' ' }, 'scale: must be a number above 0'],
    [{ scale: 'two' }, 'scale: must be a number above 0'],
    [{ scale: true }, 'scale: must be a number above 0'],
    [{ width: 0 }, 'width: must be a whole number of at least 1'],
    [{ width: 1.5 }, 'width: must be a whole number of at least 1'],
    [{ height: '1e400' }, 'height: must be a whole number of at least 1'],
    [{ denoise_strength: 1.01 }, 'denoise_strength: must be a number from 0 to 1'],
    [{ denoise_strength: -0.01 }, 'denoise_strength: must be a number from 0 to 1'],
    [{ tile: -1 }, 'tile: '],
    [{ tile: 'small' }, 'tile: '],
    [{ tile_pad: 0.5 }, 'tile_pad: '],
    [{ pre_pad: 'auto' }, 'pre_pad: '],
    [{ tta: '3' }, 'tta: must be auto, 1, 2, 4'],
    [{ tta: 'eight' }, 'tta: must be auto, 1, 2, 4'],
    [{ device: 'gpu' }, 'device: '],
    [{ precision: 'bf16' }, 'precision: '],
    [{ upscaler: '' }, 'upscaler: '],
    [{ upscaler: 'x'.repeat(256) }, 'upscaler: '],
    [{ quality: 0 }, 'quality: must be a whole number from 1 to 100'],
    [{ quality: 101 }, 'quality: must be a whole number from 1 to 100'],
    [{ output_format: 'gif' }, 'output_format: '],
    [{ metadata: 'some' }, 'metadata: '],
  ])('refuses %j', (values, message) => {
    const messages = messagesOf(values);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.slice(0, message.length)).toBe(message);
  });

  it.each([
    { scale: 1e-9 },
    { scale: 1e9 },
    { tile: 'auto' },
    { tile: 0 },
    { quality: '100' },
    { denoise_strength: 0 },
  ])('takes %j', (values) => expect(messagesOf(values)).toEqual([]));
});
