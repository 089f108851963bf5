import type { Rectangle } from '../../rectangle.ts';

const HEADER_BYTES = 13;
const FRAME = 0x2c;
const EXTENSION = 0x21;

/**
 * Where the first frame of a GIF lies on its canvas, where it does not cover it: viewers show nothing beside it, the decoder black.
 * https://www.w3.org/Graphics/GIF/spec-gif89a.txt
 * @returns undefined where it covers the canvas, or does not begin within the file
 */
export function partialFirstFrame(file: Buffer): Rectangle | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  let at = HEADER_BYTES + colorTableBytes(file[10] ?? 0);
  while (file[at] === EXTENSION) {
    at += 2;
    while ((file[at] ?? 0) > 0) at += 1 + (file[at] ?? 0);
    at += 1;
  }
  if (file[at] !== FRAME || at + 9 > file.length) return undefined;
  const [x, y, width, height] = [1, 3, 5, 7].map((offset) => file.readUInt16LE(at + offset)) as [
    number,
    number,
    number,
    number,
  ];
  const coversCanvas = x + y === 0 && width >= file.readUInt16LE(6) && height >= file.readUInt16LE(8);
  return coversCanvas ? undefined : { x, y, width, height };
}

/** Of the flags of a screen or a frame: the table of colours that follows. */
function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}
