import { describe, expect, it } from '@jest/globals';
import { JsonScanner } from '../../../app/checkpoints/json-scanner.ts';
import { refusalOf } from './refusal.ts';
import { cpuSecondsOf } from '../../support/cpu-seconds.ts';

/** Reads `{name: [numbers]}`. */
function read(text: string): [string, number[]][] {
  const scanner = new JsonScanner(text);
  const entries: [string, number[]][] = [];
  scanner.object((key) => entries.push([key, scanner.array(() => scanner.number())]));
  scanner.end();
  return entries;
}

describe('JsonScanner', () => {
  it('reads what JSON.parse reads', () => {
    const text = ' {"a" : [1, -2.5,3e2] ,\n"b\\"\\\\":[], "\\u00e9\\n": [0]}  ';
    expect(read(text)).toEqual(Object.entries(JSON.parse(text) as Record<string, number[]>));
  });

  it('keeps __proto__ as a key like any other', () => {
    expect(read('{"__proto__":[1]}')).toEqual([['__proto__', [1]]]);
  });

  it.each([
    '',
    '{',
    '{"a"}',
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":[1]',
    '{"a":[1]}x',
    '{"a":[1],}',
    '{a:[1]}',
    '{"a":[--1]}',
    '{"a',
    '{"a\\',
    '{"a\\":[1]}',
    '{"\\q":[1]}',
    '{"\u0001":[1]}',
    '{"a":["1"]}',
    '[1]',
  ])('refuses %j', (text) => {
    expect(refusalOf(() => read(text)).kind).toBe('bad-header');
  });

  it('refuses the same key twice, however it is spelt', () => {
    expect(refusalOf(() => read('{"a":[1],"\\u0061":[2]}')).kind).toBe('duplicate-entry');
  });

  it.each([
    ['a string that never ends', `{"${'a'.repeat(20 << 20)}`, 'bad-header'],
    ['escaped quotes', `{"${'\\"'.repeat(10 << 20)}`, 'bad-header'],
    ['backslashes', `{"${'\\'.repeat(20 << 20)}`, 'bad-header'],
    ['brackets', `{"a":${'['.repeat(20 << 20)}`, 'bad-header'],
    ['digits', `{"a":[${'1'.repeat(20 << 20)}]}`, 'bad-header'],
    ['a list', `{"a":[${'1,'.repeat(10 << 20)}1]}`, 'too-large'],
    ['spaces', ' '.repeat(20 << 20), 'bad-header'],
  ])('refuses 20 MB of %s without looking at them twice', (_name, text, kind) => {
    expect(cpuSecondsOf(() => expect(refusalOf(() => read(text)).kind).toBe(kind))).toBeLessThan(3);
  });
});
