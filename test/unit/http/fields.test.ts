import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Fields, parseParameters } from '../../../app/http/fields.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';

const form = upscaleOptions.extend(outputOptions.shape);

function messageFor(entries: Record<string, unknown>): string {
  try {
    parseParameters(form, Object.entries(entries));
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('parseParameters', () => {
  it('reads text as forms send it', () => {
    const { values } = parseParameters(
      form,
      Object.entries({ scale: '2.5', tile: 'auto', pre_pad: '4', quality: '90' }),
    );
    expect(values).toMatchObject({ upscaler: 'AUTO', scale: 2.5, tile: 'auto', pre_pad: 4, quality: 90 });
  });

  it.each([
    [{ scale: '0' }, 'scale: must be a number above 0, got "0"'],
    [{ scale: '-1' }, 'scale: must be a number above 0, got "-1"'],
    [{ scale: 'NaN' }, 'scale: must be a number above 0, got "NaN"'],
    [{ scale: 'Infinity' }, 'scale: must be a number above 0, got "Infinity"'],
    [{ scale: 'large' }, 'scale: must be a number above 0, got "large"'],
    [{ width: '1.5' }, 'width: must be a whole number of at least 1, got "1.5"'],
    [{ width: '0' }, 'width: must be a whole number of at least 1, got "0"'],
    [{ device: 'tpu' }, 'device: must be auto, cuda, mps, cpu, got "tpu"'],
    [{ output_format: 'gif' }, 'output_format: must be auto, png, jpeg, webp, avif, tiff, got "gif"'],
    [{ tile: 'small' }, 'tile: must be auto or a whole number of at least 0, got "small"'],
    [{ denoise_strength: 2 }, 'denoise_strength: must be a number from 0 to 1, got 2'],
    [{ quality: true }, 'quality: must be a whole number from 1 to 100, got true'],
    [{ scale: [1, 2] }, 'scale: must be a number above 0, got a list of 2'],
    [{ scale: { toString: 1 } }, 'scale: must be a number above 0, got an object'],
  ])('refuses %j by name, with what is allowed and what came', (entries, message) => {
    expect(messageFor(entries)).toBe(message);
  });

  it('names fields that it does not know, and ignores them', () => {
    const { values, warnings } = parseParameters(form, [
      ['scale', '2'],
      ['sclae', '4'],
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(values.scale).toBe(2);
    expect(warnings).toEqual([
      'unknown field "sclae" was ignored',
      'unknown field "__proto__" was ignored',
      'unknown field "constructor" was ignored',
    ]);
  });

  it('names no more than twenty of them', () => {
    const many = Array.from({ length: 25 }, (_, index) => [`f${index}`, ''] as const);
    const { warnings } = parseParameters(form, many);
    expect([warnings.length, warnings.at(-1)]).toEqual([21, '5 more unknown fields were ignored']);
  });

  it('takes null in JSON for not given', () => {
    expect(parseParameters(form, [['scale', null]]).values.scale).toBeUndefined();
  });

  it('names the place in a list, and does not quote what is long', () => {
    const schema = z.object({
      images: z.array(z.string({ error: 'must be text' }).max(5, { error: 'must be short' })),
    });
    expect(() => parseParameters(schema, [['images', ['ok', 7]]])).toThrow('images[1]: must be text, got 7');
    expect(() => parseParameters(schema, [['images', ['x'.repeat(1e6)]]])).toThrow(
      /^images\[0\]: must be short, got "x{100}"…$/,
    );
  });

  it('quotes what lies at the place, and nothing where nothing does', () => {
    const schema = z.object({ jobs: z.array(z.object({ id: z.string() })).min(1) });
    const messageFor = (jobs: unknown): string => {
      try {
        return JSON.stringify(parseParameters(schema, [['jobs', jobs]]).values);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(messageFor([{ id: 7 }])).toBe('jobs[0].id: must be text, got 7');
    expect(messageFor([{ name: 'a' }])).toBe('jobs[0].id: must be text');
    expect(messageFor([])).toBe('jobs: must have at least 1 item, got a list of 0');
  });
});

describe('Fields', () => {
  it('takes empty text for not given', () => {
    expect(Fields.ofQuery({ scale: '', width: ' ' }).entries()).toEqual([]);
  });

  it('refuses a name that comes twice', () => {
    expect(() => Fields.ofQuery({ scale: ['2', '3'] }).entries()).toThrow('scale: expected once, got several times');
  });

  it('prefers a form to the query', () => {
    const formFields = new Fields();
    formFields.add('scale', '3');
    expect(Fields.ofQuery({ scale: '2', tile: '0' }).overriddenBy(formFields).entries()).toEqual([
      ['scale', '3'],
      ['tile', '0'],
    ]);
  });
});

describe('parseParameters and the names that people send', () => {
  it.each([
    ['model', 'LANCZOS', { upscaler: 'LANCZOS' }],
    ['model_name', 'LANCZOS', { upscaler: 'LANCZOS' }],
    ['outscale', '3.5', { scale: 3.5 }],
    ['upscale_factor', '3', { scale: 3 }],
    ['scale_factor', 3, { scale: 3 }],
    ['tile_size', '192', { tile: 192 }],
  ])('reads %s', (name, value, expected) => {
    const { values, warnings } = parseParameters(form, [[name, value]]);
    expect(values).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  it('takes a name for itself where the route has it', () => {
    const config = z.object({ upscale_factor: upscaleOptions.shape.scale });
    expect(parseParameters(config, [['upscale_factor', 3]]).values).toEqual({ upscale_factor: 3 });
    expect(parseParameters(config, [['scale', 3]]).values).toEqual({ upscale_factor: 3 });
    expect(parseParameters(config, [['model', 'LANCZOS']]).warnings).toEqual(['unknown field "model" was ignored']);
  });

  it('refuses two that differ, by both names, and takes two that agree', () => {
    expect(messageFor({ scale: '2', outscale: '4' })).toBe(
      'scale, outscale: mean the same and must not differ, got "2" and "4"',
    );
    expect(messageFor({ model: 'NEAREST', model_name: 'LANCZOS' })).toContain('model, model_name: ');
    expect(messageFor({ scale: '2', scale_factor: 2, outscale: '2.0', upscale_factor: null })).toBe('accepted');
  });

  it('names a bad field as it was sent', () => {
    expect(messageFor({ outscale: '0' })).toBe('outscale: must be a number above 0, got "0"');
  });
});
