import { describe, expect, it } from '@jest/globals';
import { BadImageError, UnsupportedImageError } from '../../../../app/imaging/errors.ts';
import { sniffFormat } from '../../../../app/imaging/codec/sniff-format.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const fileType = (...brands: string[]) =>
  bytes(
    `\0\0\0${String.fromCharCode(8 + 8 + (brands.length - 1) * 4)}ftyp${brands[0] ?? ''}\0\0\0\0${brands.slice(1).join('')}`,
  );

describe('Telling a format by its bytes', () => {
  it.each([
    ['jpeg', bytes('\xff\xd8\xff\xe0')],
    ['png', bytes('\x89PNG\r\n\x1a\n')],
    ['gif', bytes('GIF87a')],
    ['gif', bytes('GIF89a')],
    ['webp', bytes('RIFF\0\0\0\0WEBPVP8 ')],
    ['tiff', bytes('II*\0\x08\0\0\0')],
    ['tiff', bytes('MM\0*\0\0\0\x08')],
    ['tiff', bytes('II+\0\x08\0\0\0')],
    ['avif', fileType('avif', 'mif1', 'miaf')],
    ['avif', fileType('mif1', 'miaf', 'avif')],
    ['avif', fileType('avis', 'msf1')],
    ['heic', fileType('heic', 'mif1')],
    ['heic', fileType('mif1', 'miaf', 'heix')],
  ])('knows %s', (format, head) => {
    expect(sniffFormat(head, 'a.bin')).toBe(format);
  });

  it.each([
    ['an SVG drawing', bytes('<?xml version="1.0"?>\n<!-- a cat -->\n<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['a PDF document', bytes('%PDF-1.7')],
    ['a video', fileType('isom', 'mp42')],
    ['a BMP image', bytes('BM\0\0\0\0')],
    ['a Photoshop document', bytes('8BPS\0\x01')],
    ['a JPEG XL image', bytes('\xff\x0a\0\0')],
    ['a JPEG 2000 image', bytes('\0\0\0\x0cjP  \r\n')],
    ['a PPM image', bytes('P6\n1 1\n255\n')],
    ['a Radiance HDR image', bytes('#?RADIANCE\n')],
    ['a libvips image', bytes('\xb6\xa6\xf2\x08')],
    ['a zip archive', bytes('PK\x03\x04')],
  ])('refuses %s by name, and says what is accepted', (kind, head) => {
    expect(() => sniffFormat(head, 'cat.png')).toThrow(UnsupportedImageError);
    expect(() => sniffFormat(head, 'cat.png')).toThrow(
      `cat.png: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got ${kind}; convert it first`,
    );
  });

  it.each([
    ['an empty file', bytes('')],
    ['an HTML page', bytes('\xef\xbb\xbf\n<!DOCTYPE html><html>')],
    ['a text file', bytes('not an image\n')],
    ['a file that starts with the bytes 0001020304050607', bytes('\0\x01\x02\x03\x04\x05\x06\x07\x08')],
  ])('says that %s is no image', (kind, head) => {
    expect(() => sniffFormat(head, 'cat.png')).toThrow(BadImageError);
    expect(() => sniffFormat(head, 'cat.png')).toThrow(
      `cat.png: expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got ${kind}`,
    );
  });

  it('does not take a file type box that claims more brands than there are bytes for more than it is', () => {
    expect(() => sniffFormat(bytes('\xff\xff\xff\xffftypisom'), 'x')).toThrow('a video');
  });
});
