import { describe, expect, it } from '@jest/globals';
import { hasUserComment, withUserComment } from '../../../../../app/imaging/codec/exif/exif.ts';
import type { Channels, ImageShape } from '../../../../../app/imaging/image.ts';
import { iccColorSpace } from '../../../../../app/imaging/codec/metadata/metadata.ts';
import { resetXmpOrientation } from '../../../../../app/imaging/codec/exif/xmp-edits.ts';
import { outputMetadata } from '../../../../../app/imaging/codec/metadata/output-metadata.ts';
import type { OutputFormat } from '../../../../../app/options/output-formats.ts';
import { makePngChunk, makeXmpChunk } from '../../../../../app/imaging/codec/png-chunks.ts';

const shape = (channels: Channels, depth: 8 | 16 = 8): ImageShape => ({ width: 5, height: 3, channels, depth });
const text = (keyword: string, value: string) => makePngChunk('tEXt', Buffer.from(`${keyword}\0${value}`, 'latin1'));
const profile = (space: string) => Buffer.from(`${' '.repeat(16)}${space}${' '.repeat(108)}`);
const gamma = makePngChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]));
const xmp = Buffer.from('<x:xmpmeta/>');

describe('Fitting metadata to an output', () => {
  it('gives PNG its chunks as they were', () => {
    const pngChunks = [gamma, text('parameters', 'a cat'), text('Software', 'x')];
    const result = outputMetadata(shape(3), 'png', { pngChunks });
    expect(result.pngChunks).toEqual(pngChunks);
    expect([result.exif, result.warnings]).toEqual([undefined, []]);
  });

  it('leaves colour chunks out where a profile says it', () => {
    const result = outputMetadata(shape(3), 'png', { icc: profile('RGB '), pngChunks: [gamma, text('a', 'b')] });
    expect(result.pngChunks).toEqual([text('a', 'b')]);
  });

  it('gives PNG the XMP of another format as a text, and does not double that of a PNG', () => {
    expect(outputMetadata(shape(3), 'png', { xmp }).pngChunks).toEqual([makeXmpChunk(xmp)]);
    expect(outputMetadata(shape(3), 'png', { xmp, pngChunks: [makeXmpChunk(xmp)] }).pngChunks).toEqual([
      makeXmpChunk(xmp),
    ]);
  });

  it.each<OutputFormat>(['jpeg', 'webp', 'avif', 'tiff'])(
    'moves the text parameters to a user comment in %s',
    (format) => {
      const pngChunks = [text('Software', 'x'), text('parameters', 'a cat'), makeXmpChunk(xmp)];
      const result = outputMetadata(shape(3), format, { xmp, pngChunks });
      expect(result.exif && hasUserComment(result.exif)).toBe(true);
      expect([result.pngChunks, result.xmp]).toEqual([[], xmp]);
      expect(result.warnings).toEqual(['1 PNG text chunks are left out: only PNG holds them']);
    },
  );

  it('keeps a user comment that is there, and one that is too long out', () => {
    const exif = withUserComment(undefined, 'mine');
    expect(outputMetadata(shape(3), 'jpeg', { exif, pngChunks: [text('parameters', 'a cat')] }).exif).toEqual(exif);
    const long = outputMetadata(shape(3), 'jpeg', { pngChunks: [text('parameters', 'x'.repeat(40_000))] });
    expect([long.exif, long.warnings]).toEqual([
      undefined,
      ['the text parameters is left out: EXIF holds 65000 bytes'],
    ]);
  });

  it.each<{ format: OutputFormat; channels: Channels; space: string; isKept: boolean; isConverted: boolean }>([
    { format: 'png', channels: 3, space: 'RGB ', isKept: true, isConverted: false },
    { format: 'png', channels: 4, space: 'GRAY', isKept: false, isConverted: false },
    { format: 'jpeg', channels: 1, space: 'GRAY', isKept: true, isConverted: false },
    { format: 'tiff', channels: 2, space: 'RGB ', isKept: false, isConverted: false },
    { format: 'webp', channels: 4, space: 'RGB ', isKept: true, isConverted: false },
    { format: 'webp', channels: 1, space: 'GRAY', isKept: true, isConverted: true },
    { format: 'avif', channels: 2, space: 'GRAY', isKept: true, isConverted: true },
  ])(
    '$format with $channels channels and a profile for $space: kept $isKept, converted $isConverted',
    ({ format, channels, space, isKept, isConverted }) => {
      const result = outputMetadata(shape(channels), format, { icc: profile(space) });
      expect([result.icc !== undefined, result.isConvertedToSrgb]).toEqual([isKept, isConverted]);
      const warning = 'the ICC profile is left out: it is not for the colours of the result';
      expect(result.warnings).toEqual(isKept ? [] : [warning]);
    },
  );

  it('tells what a format cannot hold', () => {
    expect(outputMetadata(shape(4, 16), 'jpeg', {}).warnings).toEqual([
      'JPEG has no transparency: the image is laid on white',
      '16 bits are reduced to 8 in JPEG',
    ]);
    expect(outputMetadata(shape(4, 16), 'tiff', {}).warnings).toEqual([]);
    const large = outputMetadata(shape(3), 'jpeg', { xmp: Buffer.alloc(70_000) });
    expect([large.xmp, large.warnings]).toEqual([undefined, ['XMP of 70000 bytes is left out: JPEG holds 65502']]);
  });
});

describe('Metadata', () => {
  it('resets the orientation in XMP, as attribute and as element, and nothing else', () => {
    const packet = `<rdf:Description tiff:Orientation="6" x:Orientation="6"/><tiff:Orientation>8</tiff:Orientation>ü`;
    const reset = Buffer.from(resetXmpOrientation(Buffer.from(packet))).toString();
    expect(reset).toBe(packet.replace('tiff:Orientation="6"', 'tiff:Orientation="1"').replace('>8<', '>1<'));
  });

  it('reads the colour space of a profile', () => {
    expect(iccColorSpace(profile('CMYK'))).toBe('CMYK');
    expect(iccColorSpace(new Uint8Array(3))).toBe('');
  });
});
