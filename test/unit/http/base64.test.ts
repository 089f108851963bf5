import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeImage, encodedLength } from '../../../app/http/base64.ts';

describe('decodeImage', () => {
  it('gives back any bytes, bare, as a data URL, unpadded, and in lines', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        const lines = text.replace(/.{1,76}/g, '$&\r\n');
        for (const form of [text, `data:image/png;base64,${text}`, text.replace(/=+$/, ''), lines]) {
          expect([...decodeImage('image', form, 1000)]).toEqual([...bytes]);
        }
        expect(text.length).toBe(encodedLength(bytes.length));
      }),
    );
  });

  it.each([
    '',
    '=',
    'AAAAA',
    'not base64!',
    'data:image/png,plain',
    'https://example.org/cat.png',
    '../../etc/passwd%00',
  ])('refuses %j', (text) => {
    expect(() => decodeImage('images[3]', text, 1000)).toThrow('images[3]: must be an image as base64');
  });

  it('refuses more bytes than are allowed', () => {
    const text = Buffer.alloc(1001).toString('base64');
    expect(() => decodeImage('images[0]', text, 1000)).toThrow(expect.objectContaining({ code: 'ERR_FILE_TOO_LARGE' }));
  });
});
