import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DecodedFile } from '../../../../app/http/receiving/base64-file.ts';
import { Base64File } from '../../../../app/http/receiving/base64-file.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

describe('Base64File', () => {
  let folder: TemporaryFolder;
  let count = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterAll(async () => {
    await folder.remove();
  });

  const decode = async (text: string, sizes: readonly number[], maxBytes = 10_000): Promise<DecodedFile> => {
    const file = new Base64File(join(folder.path, String(count++)), maxBytes);
    try {
      for (let at = 0, turn = 0; at < text.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        file.add(text.slice(at, at + size));
        if (turn % 3 !== 0) await file.flush();
        at += size;
      }
      return await file.finish();
    } finally {
      await file.close();
    }
  };

  it('gives back any bytes, bare, as a data URL, unpadded, and in lines, wherever the pieces are cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 1200 }), sizes, async (bytes, cuts) => {
      const text = Buffer.from(bytes).toString('base64');
      for (const form of [
        text,
        `data:image/png;base64,${text}`,
        text.replace(/=+$/, ''),
        text.replace(/.{1,76}/g, '$&\r\n'),
      ]) {
        const { file, isImage, sha256 } = await decode(form, cuts);
        expect(isImage).toBe(true);
        expect([...(await readFile(file))]).toEqual([...bytes]);
        expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it.each([
    '',
    '=',
    'AAAAA',
    'AA==AAAA',
    'not base64!',
    'data:image/png,plain',
    'data:image/png;base64,',
    'https://example.org/cat.png',
    `${'A'.repeat(400)}!${'A'.repeat(399)}`,
    `${'A'.repeat(398)}==${'A'.repeat(400)}`,
  ])('tells that %j is no image', async (text) => {
    expect((await decode(text, [100])).isImage).toBe(false);
  });

  it('stops at the limit', async () => {
    const text = Buffer.alloc(1001).toString('base64');
    await expect(decode(text, [300], 1000)).rejects.toMatchObject({ code: 'ERR_FILE_TOO_LARGE' });
    expect((await decode(text, [300], 1001)).isImage).toBe(true);
  });
});
