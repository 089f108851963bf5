import { describe, expect, it } from '@jest/globals';
import { extensionOf, formatOfExtension } from '../../../app/options/output-formats.ts';
import { chooseFormat, resultFormat } from '../../../app/processing/choose-format.ts';

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

  it('becomes PNG with a word where the sides are too long for what auto would take, up to the last pixel', () => {
    const result = (source: string, width: number) =>
      resultFormat('auto', source, { width, height: 1, channels: 3, depth: 8 });
    const limits = { jpeg: 65_500, webp: 16_383, avif: 16_384 };
    for (const [source, longest] of Object.entries(limits)) {
      expect(result(source, longest)).toEqual({ format: source, warnings: [] });
      const { format, warnings } = result(source, longest + 1);
      expect([format, warnings.join()]).toEqual([
        'png',
        expect.stringMatching(`^written as PNG: .* at most ${longest} pixels, and the result is ${longest + 1}x1$`),
      ]);
    }
    expect(() => result('png', 100_000_001)).toThrow(/PNG holds sides of at most 100000000; ask for a smaller size/);
  });

  it('is refused where it was asked for and cannot hold the result, with what to ask for', () => {
    const tall = { width: 1, height: 65_501, channels: 3, depth: 8 } as const;
    expect(() => resultFormat('jpeg', 'png', tall)).toThrow(
      'the result is 1x65501, JPEG holds sides of at most 65500; ask for png or tiff, or a smaller size',
    );
  });

  it('loses nothing where that is asked for: a JPEG becomes a PNG, and JPEG is refused', () => {
    const shape = { width: 9, height: 9, channels: 3, depth: 8 } as const;
    const formats = ['jpeg', 'webp', 'avif', 'tiff', 'png'].map(
      (source) => resultFormat('auto', source, shape, true).format,
    );
    expect(formats).toEqual(['png', 'webp', 'avif', 'tiff', 'png']);
    expect(() => resultFormat('jpeg', 'png', shape, true)).toThrow(
      'JPEG always loses something; for lossless=true ask for PNG, WebP, AVIF or TIFF',
    );
  });

  it('has an extension, and is found by every one of its extensions', () => {
    const formats = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
    expect(formats.map(extensionOf)).toEqual(['png', 'jpg', 'webp', 'avif', 'tiff']);
    for (const format of formats) expect(formatOfExtension(`.${extensionOf(format)}`)).toBe(format);
    expect(['.JPG', '.jpeg', '.jfif', '.jpe', '.TIF'].map(formatOfExtension)).toEqual([
      ...Array<string>(4).fill('jpeg'),
      'tiff',
    ]);
    expect(['', '.', '.gif', '.txt', 'png2'].map(formatOfExtension)).toEqual(Array(5).fill(undefined));
  });
});
