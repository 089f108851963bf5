import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { STATUS_OF_CODE } from '../../../app/http/problem.ts';

const APP = new URL('../../../app/', import.meta.url);
/** Codes without a class: they stand for whatever has none. */
const WITHOUT_CLASS = ['ERR_BAD_REQUEST', 'ERR_INTERNAL'];
/** Errors that end the program before it answers anything. */
const WITHOUT_STATUS = [
  'ERR_BAD_CONFIG',
  'ERR_BATCH_FAILED',
  'ERR_CALIBRATION_FOLDER',
  'ERR_GATE_FAILED',
  'ERR_INT8_REFUSED',
  'ERR_NOT_COMPARABLE',
  'ERR_SERVER',
  'ERR_UNHEALTHY',
  'ERR_USAGE',
  'ERR_VERIFICATION_FAILED',
];

function codesInSource(): string[] {
  const files = readdirSync(APP, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const found = files.flatMap((file) => {
    const source = readFileSync(new URL(file, APP), 'utf8');
    return [...source.matchAll(/readonly code = '(ERR_\w+)'/g)].map(([, code = '']) => code);
  });
  return [...new Set([...found, ...WITHOUT_CLASS])].sort();
}

function codesInDocs(): Map<string, string> {
  const docs = readFileSync(new URL('../docs/errors.md', APP), 'utf8');
  return new Map(
    [...docs.matchAll(/^\| `(ERR_\w+)` +\| (\d{3}|-) +\| /gm)].map(([, code = '', status = '']) => [code, status]),
  );
}

describe('the error codes', () => {
  it('are all in docs/errors.md, and no others', () => {
    expect([...codesInDocs().keys()].sort()).toEqual(codesInSource());
  });

  it('have the statuses that docs/errors.md gives them', () => {
    const documented = [...codesInDocs()].flatMap(([code, status]) => (status === '-' ? [] : [[code, Number(status)]]));
    expect(Object.fromEntries(documented)).toEqual(STATUS_OF_CODE);
  });

  it('all have a status, but those that HTTP never sees', () => {
    expect(codesInSource().filter((code) => !Object.hasOwn(STATUS_OF_CODE, code))).toEqual(WITHOUT_STATUS);
  });

  it('use no status beyond those that callers were promised', () => {
    const promised = [400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 500, 503];
    expect(Object.values(STATUS_OF_CODE).filter((status) => !promised.includes(status))).toEqual([]);
  });
});
