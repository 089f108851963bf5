import { describe, expect, it } from '@jest/globals';
import type { Patch } from '../support/planted-sources.ts';
import { compilerSays, inserting } from '../support/planted-sources.ts';

const SLOW = 60_000;
const IMAGING_ERRORS = 'app/imaging/errors.ts';
const FORMATS = 'app/options/output-formats.ts';
const METHODS = 'app/options/methods.ts';
const GIF = `gif: { label: 'GIF', extensions: ['gif'], mediaType: 'image/gif', longestSide: 65_535, bits: 8,
  holdsAlpha: true, holdsGray: false, holdsTexts: false, holdsColorCodes: false, holdsFrames: true, losesNothing: false },\n  `;

const planted =
  (fields: string): Patch =>
  (source) =>
    `${source}\nexport class PlantedError extends HiresFixError {\n  ${fields}\n}\n`;

describe('a planted error', () => {
  it(
    'does not compile without a fault',
    () => {
      const patch = planted("readonly code = 'ERR_PLANTED';");
      expect(compilerSays(IMAGING_ERRORS, {})).toEqual([]);
      expect(compilerSays(IMAGING_ERRORS, { [IMAGING_ERRORS]: patch })).toEqual([
        expect.stringMatching(/'PlantedError' does not implement inherited abstract member fault/),
      ]);
    },
    SLOW,
  );

  it(
    'does not compile with a fault that there is none of',
    () => {
      const patch = planted("readonly code = 'ERR_PLANTED';\n  readonly fault = 'nobody';");
      expect(compilerSays(IMAGING_ERRORS, { [IMAGING_ERRORS]: patch })).toEqual([
        expect.stringContaining(`'"nobody"' is not assignable to type 'Fault'`),
      ]);
    },
    SLOW,
  );

  it(
    'does not compile where the table of faults leaves it out, or says another fault',
    () => {
      const table = 'app/fault-of-code.ts';
      const patch = planted("readonly code = 'ERR_PLANTED';\n  readonly fault = 'image';");
      const left = compilerSays(table, { [IMAGING_ERRORS]: patch });
      expect(left).toEqual([expect.stringContaining("Property 'ERR_PLANTED' is missing")]);
      const wrong = compilerSays(table, {
        [IMAGING_ERRORS]: patch,
        [table]: inserting("ERR_PLANTED: 'model',\n  ", 'ERR_BAD_BODY:'),
      });
      expect(wrong).toEqual([expect.stringContaining(`'"model"' is not assignable to type '"image"'`)]);
    },
    SLOW,
  );
});

describe('a new output format', () => {
  it(
    'does not compile while anything of it is left out',
    () => {
      const patch = inserting(GIF.replace("mediaType: 'image/gif', ", ''), 'png: {');
      expect(compilerSays(FORMATS, { [FORMATS]: patch }).join()).toContain("'mediaType' is missing");
    },
    SLOW,
  );

  it(
    'does not compile without an encoder',
    () => {
      const found = compilerSays('app/imaging/codec/encoders.ts', { [FORMATS]: inserting(GIF, 'png: {') });
      expect(found.join()).toContain("Property 'gif' is missing");
    },
    SLOW,
  );
});

describe('a new method', () => {
  it(
    'does not compile while anything of it is left out',
    () => {
      const method = `shrink: imageMethod({ summary: 'Shrink', restores: 'never', isAllOrNothing: false, answer: 'image',
        form: upscaleOptions, workOf: (options) => ({ kind: 'hires-fix', options }) }),\n  `;
      const found = compilerSays(METHODS, { [METHODS]: inserting(method, 'enhance: imageMethod({') });
      expect(found.join()).toContain("'suffix' is missing");
    },
    SLOW,
  );
});
