import { describe, expect, it } from '@jest/globals';
import { extensionOf, formatOfExtension } from '../../../app/options/output-formats.ts';
import { chooseFormat } from '../../../app/processing/choose-format.ts';

describe('the format of a result', () => {
  it.each([
    ['jpeg', 3, 8, 'jpeg'],
    ['jpeg', 1, 8, 'jpeg'],
    ['jpeg', 4, 8, 'png'],
    ['png', 4, 16, 'png'],
    ['webp', 4, 8, 'webp'],
    ['avif', 3, 8, 'avif'],
    ['avif', 3, 16, 'png'],
    ['tiff', 4, 16, 'tiff'],
    ['gif', 3, 8, 'png'],
  ] as const)(
    'auto keeps what loses nothing: %s of %i channels and %i bits becomes %s',
    (source, channels, depth, format) => {
      expect(chooseFormat('auto', source, { channels, depth })).toBe(format);
    },
  );

  it('is the one that was asked for, whatever the source', () => {
    expect(chooseFormat('jpeg', 'png', { channels: 4, depth: 16 })).toBe('jpeg');
  });

  it('has an extension, and is found by every one of its extensions', () => {
    const formats = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
    expect(formats.map(extensionOf)).toEqual(['png', 'jpg', 'webp', 'avif', 'tiff']);
    for (const format of formats) expect(formatOfExtension(`.${extensionOf(format)}`)).toBe(format);
    expect(['.JPG', '.jpeg', '.jfif', '.TIF'].map(formatOfExtension)).toEqual(['jpeg', 'jpeg', 'jpeg', 'tiff']);
    expect(['', '.', '.gif', '.txt', 'png2'].map(formatOfExtension)).toEqual(Array(5).fill(undefined));
  });
});
