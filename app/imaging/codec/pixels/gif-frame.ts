import type { Rectangle } from '../../rectangle.ts';

/** A frame of a GIF: what it covers of the canvas, and what becomes of that when the next one comes. */
export interface GifFrame extends Rectangle {
  /** `clear`: the place is emptied; `restore`: it becomes what it was before the frame. */
  readonly disposal: 'keep' | 'clear' | 'restore';
}

const HEADER_BYTES = 13;
const FRAME_BYTES = 10;
const [FRAME, EXTENSION, GRAPHIC_CONTROL] = [0x2c, 0x21, 0xf9];
/** Of the graphic control's disposal method; 0 and 1 keep. */
const DISPOSALS: readonly GifFrame['disposal'][] = ['keep', 'keep', 'clear', 'restore'];

/**
 * The frames of a GIF in their order, as far as the file goes. Nothing of pixels is looked at.
 * https://www.w3.org/Graphics/GIF/spec-gif89a.txt
 */
export function* gifFrames(file: Buffer): Generator<GifFrame> {
  if (file.length < HEADER_BYTES) return;
  let at = HEADER_BYTES + colorTableBytes(file[10] ?? 0);
  let disposal: GifFrame['disposal'] = 'keep';
  for (;;) {
    if (file[at] === EXTENSION) {
      if (file[at + 1] === GRAPHIC_CONTROL) disposal = DISPOSALS[((file[at + 3] ?? 0) >> 2) & 7] ?? 'keep';
      at = afterBlocks(file, at + 2);
    } else if (file[at] === FRAME && at + FRAME_BYTES <= file.length) {
      const [x, y] = [file.readUInt16LE(at + 1), file.readUInt16LE(at + 3)];
      yield { x, y, width: file.readUInt16LE(at + 5), height: file.readUInt16LE(at + 7), disposal };
      disposal = 'keep';
      at = afterBlocks(file, at + FRAME_BYTES + colorTableBytes(file[at + 9] ?? 0) + 1); // a byte: how codes begin
    } else return;
  }
}

/**
 * Where the first frame of a GIF lies on its canvas, where it does not cover it: viewers show nothing beside it, the decoder black.
 * @returns undefined where it covers the canvas, or does not begin within the file
 */
export function partialFirstFrame(file: Buffer): Rectangle | undefined {
  const [first] = gifFrames(file);
  if (!first) return undefined;
  const { x, y, width, height } = first;
  const coversCanvas = x + y === 0 && width >= file.readUInt16LE(6) && height >= file.readUInt16LE(8);
  return coversCanvas ? undefined : { x, y, width, height };
}

function afterBlocks(file: Buffer, start: number): number {
  let at = start;
  while ((file[at] ?? 0) > 0) at += 1 + (file[at] ?? 0);
  return at + 1;
}

/** Of the flags of a screen or a frame: the table of colours that follows. */
function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}
