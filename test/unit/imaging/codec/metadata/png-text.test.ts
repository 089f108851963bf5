import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { readPngText, textOf, unpacked } from '../../../../../app/imaging/codec/metadata/png-text.ts';
import { makePngChunk, makeXmpChunk, readPngParts } from '../../../../../app/imaging/codec/png-chunks.ts';
import { noise } from '../../../../support/images/images.ts';
import { joinPng, readPngChunks, writePng } from '../../../../support/images/png.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('A text of a PNG', () => {
  it.each([
    ['tEXt', latin1('k\0caf\xe9'), 'café'],
    ['zTXt', Buffer.concat([latin1('k\0\0'), deflateSync(latin1('caf\xe9'))]), 'café'],
    ['iTXt', Buffer.concat([latin1('k\0\0\0en\0Schl\xc3\xbcssel\0'), Buffer.from('größe')]), 'größe'],
    ['iTXt', Buffer.concat([latin1('k\0\x01\0\0\0'), deflateSync(Buffer.from('größe'))]), 'größe'],
  ])('is read from %s %j', (type, data, text) => {
    expect(textOf(makePngChunk(type, data))).toEqual(['k', text]);
  });

  it.each([
    ['tEXt', 'no separator'],
    ['tEXt', '\0no keyword'],
    ['zTXt', 'no separator'],
    ['iTXt', 'k\0\0\0en'],
    ['iTXt', 'k\0\x01\0en'],
    ['gAMA', 'k\0text'],
    ['tEXt', ''],
  ])('is none where it is not one: %s %j', (type, data) => {
    expect(readPngText(makePngChunk(type, latin1(data)))).toBeUndefined();
  });

  it('is not unpacked where it is damaged, or larger than is asked for', () => {
    const text = readPngText(makePngChunk('zTXt', Buffer.concat([latin1('k\0\0'), deflateSync(Buffer.alloc(1000))])));
    if (!text) throw new Error('no text');
    expect(unpacked(text, 1000)?.length).toBe(1000);
    expect(unpacked(text, 999)).toBeUndefined();
    expect(unpacked({ ...text, data: text.data.subarray(1) }, 1000)).toBeUndefined();
  });
});

describe('The texts of a PNG file', () => {
  const [header, ...others] = readPngChunks(writePng(noise({ width: 5, height: 3, channels: 3, depth: 8 })));
  const parts = (type: string, data: Buffer) =>
    readPngParts(joinPng([...(header ? [header] : []), { type, data }, ...others]), 'a.png');

  it('are XMP packed as well as plain', () => {
    const packet = Buffer.from('<x:xmpmeta>größe</x:xmpmeta>');
    const plain = makeXmpChunk(packet);
    expect(parts('iTXt', Buffer.from(plain.subarray(8, -4))).xmp).toEqual(packet);
    const packed = Buffer.concat([latin1('XML:com.adobe.xmp\0\x01\0\0\0'), deflateSync(packet)]);
    expect(parts('iTXt', packed).xmp).toEqual(packet);
  });

  it('that cannot be read are left out with a word', () => {
    const { chunks, leftOut } = parts('tEXt', latin1('no separator'));
    expect([chunks, leftOut]).toEqual([[], ['the chunk tEXt of the file is damaged and left out']]);
  });
});
