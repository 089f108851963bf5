import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** A PNG of one gray pixel, with the chunks given before its pixel. */
export function tinyPng(...chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([
    SIGNATURE,
    header(1, 1),
    ...chunks,
    chunk('IDAT', deflateSync(Buffer.from([0, 128]))),
    chunk('IEND'),
  ]);
}

/** 200 text chunks of 5 MB each, in a file of about 1 MB: libvips keeps 50 of them, and takes gigabytes for it. */
export function metadataBomb(): Buffer {
  const text = deflateSync(Buffer.alloc(5_000_000, 'x'));
  const one = (index: number): Buffer => chunk('zTXt', Buffer.concat([Buffer.from(`k${index}\0\0`, 'latin1'), text]));
  return tinyPng(...Array.from({ length: 200 }, (_, index) => one(index)));
}

/** The header of a PNG of 40,000 x 40,000 pixels, and not much more. */
export function pixelBomb(): Buffer {
  return Buffer.concat([
    SIGNATURE,
    header(40_000, 40_000),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND'),
  ]);
}

function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = 8;
  return chunk('IHDR', data);
}

function chunk(type: string, data = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
