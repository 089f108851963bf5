import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../app/config.ts';
import { faceSettings } from '../../../app/options/face-options.ts';
import { faceOptions, faceTaskSettings } from '../../../app/options/face-task-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';

const config = loadConfig({ FACE_RESTORATION_STRENGTH: '0.7' });
const messageFor = (fields: Readonly<Record<string, unknown>>) =>
  faceOptions.safeParse(fields).error?.issues[0]?.message;

describe('What may be asked of faces', () => {
  it('is GFPGAN v1.4 for an upscale, and what MODEL_FACE names for faces alone', () => {
    expect(faceSettings(upscaleOptions.parse({}), config)).toMatchObject({ model: 'gfpgan-1.4', strength: 0.7 });
    expect(faceTaskSettings(faceOptions.parse({}), config)).toMatchObject({ model: 'codeformer', fidelity: 0.5 });
    const asked = faceOptions.parse({ face_model: 'restoreformer', face_restoration_strength: '0' });
    expect(faceTaskSettings(asked, config)).toMatchObject({ model: 'restoreformer', strength: 0 });
  });

  it('does without a missing model in an upscale, and not where faces are the job, unless strict says so', () => {
    const meanings = [undefined, true, false].map((strict) => {
      const { needsModels, isStrict } = faceSettings(upscaleOptions.parse({ strict }), config);
      const job = faceTaskSettings(faceOptions.parse({ strict }), config);
      return { strict, upscale: [needsModels, isStrict], job: [job.needsModels, job.isStrict] };
    });
    expect(meanings).toEqual([
      { strict: undefined, upscale: [false, false], job: [true, false] },
      { strict: true, upscale: [true, true], job: [true, true] },
      { strict: false, upscale: [false, false], job: [false, false] },
    ]);
  });

  it.each(['face_restoration_strength', 'fidelity'])('keeps %s from 0 to 1', (name) => {
    for (const value of ['0', '1', 0.5]) expect(upscaleOptions.safeParse({ [name]: value }).success).toBe(true);
    for (const value of ['-0.1', '1.01', 2]) {
      expect(upscaleOptions.safeParse({ [name]: value }).error?.issues[0]?.message).toBe(
        'must be a number from 0 to 1',
      );
      expect(messageFor({ [name]: value })).toBe('must be a number from 0 to 1');
    }
  });

  it('takes the numbers of faces', () => {
    expect(faceOptions.parse({ faces: '0, 2' }).faces).toEqual([0, 2]);
    expect(messageFor({ faces: '0;2' })).toBe('must be whole numbers from 0, comma-separated');
  });

  it('takes a size and Real-ESRGAN for aligned faces only', () => {
    expect(messageFor({ size: 256 })).toBe('must go with aligned=true');
    expect(messageFor({ face_model: 'realesrgan' })).toMatch(/^must go with aligned=true/);
    const given = { aligned: 'true', size: '256', face_model: 'realesrgan' };
    expect(faceOptions.parse(given)).toMatchObject({ aligned: true, size: 256 });
  });
});
