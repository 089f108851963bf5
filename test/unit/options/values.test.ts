import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { parseOptions } from '../../../app/cli/flag-options.ts';
import { loadConfig } from '../../../app/config.ts';
import { parseParameters } from '../../../app/http/fields.ts';
import { faceOptions } from '../../../app/options/face-task-options.ts';
import { findFacesOptions } from '../../../app/options/find-faces-options.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { restoreOptions } from '../../../app/options/restore-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';
import { autoOr, expectation, flag, fraction, numberAbove, whole, wholeText } from '../../../app/options/values.ts';

const refusal = (schema: z.ZodType, value: unknown) => expectation(schema.safeParse(value).error?.issues[0]);

/** What `run` throws, as its message. */
function thrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('A truth value', () => {
  const words = ['true', 'TRUE', '1', 'yes', 'Yes', 'on', 'false', '0', 'no', 'NO', 'off', 'Off'];

  it.each(words)('is read from %j alike in the environment, in a form and from a flag', (word) => {
    const expected = ['true', '1', 'yes', 'on'].includes(word.toLowerCase());
    const fields = { is_face_enhance: word };
    expect(loadConfig({ IS_FACE_ENHANCE: word }).isFaceEnhance).toBe(expected);
    expect(parseParameters(upscaleOptions, Object.entries(fields)).values.is_face_enhance).toBe(expected);
    expect(parseOptions(upscaleOptions, fields).is_face_enhance).toBe(expected);
  });

  it.each(['', ' ', 'y', 'enabled', '2', '01', 'true,false', 'toString', '__proto__'])('is not %j', (word) => {
    const fields = { strict: word };
    const told = `true, false, 1, 0, yes, no, on or off, got ${JSON.stringify(word)}`;
    expect(thrown(() => parseParameters(faceOptions, Object.entries(fields)))).toBe(`strict: must be ${told}`);
    expect(thrown(() => parseOptions(faceOptions, fields))).toBe(`--strict: must be ${told}`);
    if (word.trim() !== '')
      expect(thrown(() => loadConfig({ FORCE_CPU: word }))).toContain(`FORCE_CPU: expected ${told}`);
  });

  it('is 1 or 0 of the numbers, which JSON has', () => {
    expect([true, false, 1, 0].map((value) => flag().parse(value))).toEqual([true, false, true, false]);
    for (const value of [2, -1, 0.5, Number.NaN, null, [], {}]) {
      expect(refusal(flag(), value)).toBe('must be true, false, 1, 0, yes, no, on or off');
    }
  });
});

describe('A number', () => {
  it.each([
    ['2', 2],
    [' 2.50 ', 2.5],
    ['+2', 2],
    ['.5', 0.5],
    ['2.', 2],
    ['1e2', 100],
    ['25E-1', 2.5],
    ['007', 7],
  ])('is read from %j', (word, value) => {
    expect(numberAbove(0).parse(word)).toBe(value);
  });

  it.each(['', ' ', '0x10', '0b11', '0o7', 'Infinity', 'NaN', '1_0', '2,5', '1e', '.', '--2', '1e400'])(
    'is not %j, in a form, for a flag or in the environment',
    (word) => {
      expect(thrown(() => parseParameters(upscaleOptions, [['width', word]]))).toMatch(
        /^width: must be a whole number/,
      );
      expect(thrown(() => parseOptions(upscaleOptions, { scale: word }))).toMatch(/^--scale: must be a number above 0/);
      if (word.trim() !== '')
        expect(thrown(() => loadConfig({ MAX_QUEUE: word }))).toContain('MAX_QUEUE: expected a whole number');
    },
  );

  it.each(['9007199254740992', '9007199254740993', '1e16', '99999999999999999999'])('is too large as %s', (word) => {
    const most = 'a whole number from 1 to 9007199254740991';
    expect(thrown(() => parseParameters(upscaleOptions, [['width', word]]))).toBe(
      `width: must be ${most}, got "${word}"`,
    );
    expect(thrown(() => parseParameters(upscaleOptions, [['width', Number(word)]]))).toContain(
      `width: must be ${most}`,
    );
    expect(thrown(() => parseOptions(upscaleOptions, { width: word }))).toContain(`--width: must be ${most}`);
    if (!word.includes('e'))
      expect(thrown(() => loadConfig({ MAX_QUEUE: word }))).toContain(`MAX_QUEUE: expected ${most}`);
  });
});

describe('What is said of a value that was refused', () => {
  it('says what came nearest, where `auto` may stand for it', () => {
    expect(refusal(autoOr(whole(0)), 'small')).toBe('must be auto or a whole number of at least 0');
    expect(refusal(autoOr(whole(0)), true)).toBe('must be auto or a whole number of at least 0');
    expect(refusal(autoOr(fraction()), {})).toBe('must be auto or a number from 0 to 1');
    expect(refusal(autoOr(wholeText({ min: 1, max: 9 })), 'ten')).toBe('expected auto or a whole number from 1 to 9');
    expect(autoOr(numberAbove(0)).parse('auto')).toBe('auto');
    expect(autoOr(numberAbove(0)).parse(' 2 ')).toBe(2);
  });

  it('is alike in a form and for a flag', () => {
    for (const tile of ['small', '-1', '0.5']) {
      const [field, option] = [
        thrown(() => parseParameters(upscaleOptions, [['tile', tile]])),
        thrown(() => parseOptions(upscaleOptions, { tile })),
      ];
      expect(option).toBe(`--${field}`);
      expect(field).toMatch(/^tile: must be .*, got/);
    }
  });

  it('has no name in it, whichever of the options it is', () => {
    const forms: readonly z.ZodObject[] = [
      upscaleOptions,
      outputOptions,
      restoreOptions,
      faceOptions,
      findFacesOptions,
    ];
    const told = forms.flatMap(({ shape }) =>
      Object.entries(shape as Readonly<Record<string, z.ZodType>>).flatMap(([name, schema]) =>
        ['', 'nonsense', '-1', '1e9', {}, NaN, 0.5].flatMap((value) =>
          (schema.safeParse(value).error?.issues ?? []).map((issue) => [name, expectation(issue)] as const),
        ),
      ),
    );
    expect(told.length).toBeGreaterThan(100);
    for (const [name, message] of told) expect(message.split(/\W+/)).not.toContain(name);
  });
});
