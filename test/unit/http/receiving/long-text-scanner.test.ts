import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LongTextScanner } from '../../../../app/http/receiving/long-text-scanner.ts';

const LONGEST = 20;

/** Scans a text in pieces of the given sizes; long texts are kept in a list, `stand-in n` is left for them. */
function scan(text: string, sizes: readonly number[]): { rest: string; long: string[] } {
  const long: string[] = [];
  const scanner = new LongTextScanner(
    {
      begin: () => void long.push(''),
      add: (piece) => void long.push((long.pop() ?? '') + piece),
      end: () => `stand-in ${long.length - 1}`,
    },
    LONGEST,
  );
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    scanner.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { rest: scanner.finish(), long: long.map((piece) => Buffer.from(piece, 'latin1').toString('utf8')) };
}

describe('LongTextScanner', () => {
  const ascii = fc.string({ unit: fc.constantFrom('a', 'Z', '/', '+', '=', '\n', '"', '\\'), maxLength: 60 });
  const text = fc.oneof(ascii, fc.string({ maxLength: 5, unit: 'grapheme' }));
  const value = fc.oneof(
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(text),
    fc.dictionary(text, text),
  );

  it('leaves the value as it is but for long texts, wherever the pieces are cut', () => {
    fc.assert(
      fc.property(value, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (given, sizes) => {
        const { rest, long } = scan(JSON.stringify(given), sizes);
        // Keys may be long as well, so the stand-ins are filled in in the text.
        const filled = rest.replace(/"stand-in (\d+)"/g, (_whole, index) => JSON.stringify(long[Number(index)]));
        expect(JSON.parse(filled)).toEqual(JSON.parse(JSON.stringify(given)));
      }),
    );
  });

  it('resolves the escapes that encoders put into base64', () => {
    const encoded = `"${'A'.repeat(30)}\\/\\u002f\\u003d\\r\\n+"`;
    expect(scan(encoded, [3])).toEqual({ rest: '"stand-in 0"', long: [`${'A'.repeat(30)}//=\r\n+`] });
  });

  it('keeps short texts whatever characters they have', () => {
    expect(scan('{"é":"日本 \\u00e9 \\" \\\\"}', [1])).toEqual({ rest: '{"é":"日本 \\u00e9 \\" \\\\"}', long: [] });
  });

  it('passes on what is no JSON for the parser to refuse', () => {
    for (const broken of ['{"a', '"\\', '"\\u00', ']["', `"${'x'.repeat(30)}`, `"${'x'.repeat(30)}\\q"x`]) {
      expect(() => JSON.parse(scan(broken, [2]).rest) as unknown).toThrow(SyntaxError);
    }
  });
});
