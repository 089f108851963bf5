import { describe, expect, it } from '@jest/globals';
import { colorizeOptions, restoreOptions, restorePlan } from '../../../app/options/restore-options.ts';

const plan = (fields: Readonly<Record<string, unknown>>) => restorePlan(restoreOptions.parse(fields), 'denoise');
const messageFor = (fields: Readonly<Record<string, unknown>>) =>
  restoreOptions.safeParse(fields).error?.issues[0]?.message;

describe('What a restoration is asked to do', () => {
  it('is the standard where no steps are named', () => {
    expect(plan({}).steps).toEqual(['denoise']);
    expect(restorePlan(colorizeOptions.parse({}), 'colorize').steps).toEqual(['colorize']);
  });

  it('is done in the order of the steps, whatever order they were named in, and once', () => {
    expect(plan({ steps: 'colorize, Denoise,colorize ,deblur' }).steps).toEqual(['denoise', 'deblur', 'colorize']);
  });

  it.each(['sharpen', 'denoise,sharpen', '', 'denoise,'])(
    'names the steps that there are where %j is asked',
    (steps) => {
      expect(messageFor({ steps })).toMatch(/^must be a comma-separated list of denoise, deblur, .*colorize/);
    },
  );

  it('restores faces with CodeFormer and colours with DeOldify for an old photo, unless it names other models', () => {
    const models = { face_model: 'codeformer', colorize_model: 'deoldify-artistic' };
    expect(plan({ steps: 'old-photo' })).toMatchObject({ steps: ['face', 'colorize'], options: models });
    const { options } = plan({ steps: 'old-photo', face_model: 'gfpgan', colorize_model: 'artistic' });
    expect(options).toMatchObject({ face_model: 'gfpgan', colorize_model: 'artistic' });
    expect(plan({ steps: 'face' }).options.face_model).toBeUndefined();
  });

  it('keeps the size', () => {
    expect(restoreOptions.safeParse({ scale: '1' }).success).toBe(true);
    expect(messageFor({ scale: '2' })).toBe('must be 1: a restoration does not change the size');
  });

  it('paints squares that DeOldify can paint', () => {
    expect(restoreOptions.parse({}).render_factor).toBe(35);
    expect(restoreOptions.parse({ render_factor: '45' }).render_factor).toBe(45);
    expect(messageFor({ render_factor: 46 })).toBe('must be a whole number from 7 to 45');
    expect(messageFor({ render_factor: 6 })).toBe('must be a whole number from 7 to 45');
  });

  it('names the networks that colour', () => {
    expect(messageFor({ colorize_model: 'sepia' })).toMatch(/^must be modelscope, paper_tiny, artistic/);
  });
});
