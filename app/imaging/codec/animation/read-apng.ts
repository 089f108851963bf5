import { BadImageError } from '../../errors.ts';
import { chunksOf } from '../png-chunks.ts';

/** A PNG that moves, taken apart (https://www.w3.org/TR/png-3/#apng-frame-based-animation). */
export interface Apng {
  readonly width: number;
  readonly height: number;
  /** The data of its IHDR chunk, whose first 8 bytes are the size. */
  readonly header: Buffer;
  /** Whole chunks that every frame needs: PLTE, tRNS. */
  readonly shared: readonly Buffer[];
  /** How often it plays; 0 is for ever. */
  readonly plays: number;
  readonly frames: readonly ApngFrame[];
}

export interface ApngFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Milliseconds. */
  readonly time: number;
  /** What becomes of its place when the next is drawn. */
  readonly dispose: 'keep' | 'clear' | 'restore';
  /** Whether it is laid over what is there, or in its place. */
  readonly isOver: boolean;
  /** Its compressed pixels. */
  readonly parts: Buffer[];
}

const DISPOSALS = ['keep', 'clear', 'restore'] as const;
const CONTROL_BYTES = 26;
const DEFAULT_DENOMINATOR = 100;
const MILLISECONDS = 1000;

/** @throws BadImageError for frames that lie beyond the canvas or have no pixels; undefined for a PNG that does not move */
export function readApng(file: Uint8Array, name: string): Apng | undefined {
  let header: Buffer = Buffer.alloc(0);
  let plays: number | undefined;
  const shared: Buffer[] = [];
  const frames: ApngFrame[] = [];
  for (const { type, data, whole } of chunksOf(file, name)) {
    if (type === 'IHDR') header = data;
    if (type === 'PLTE' || type === 'tRNS') shared.push(whole);
    if (type === 'acTL' && data.length >= 8) plays = data.readUInt32BE(4);
    if (type === 'fcTL' && data.length >= CONTROL_BYTES) frames.push(frameOf(data));
    if (type === 'IDAT') frames.at(-1)?.parts.push(data); // without a frame before it, it is no part of the animation
    if (type === 'fdAT') frames.at(-1)?.parts.push(data.subarray(4));
  }
  if (plays === undefined || frames.length < 2) return undefined;
  const apng = { width: header.readUInt32BE(0), height: header.readUInt32BE(4), header, shared, plays, frames };
  for (const [index, frame] of frames.entries()) assertFrame(frame, apng, `${name}: frame ${index + 1}`);
  return apng;
}

function frameOf(data: Buffer): ApngFrame {
  const [width, height, x, y] = [4, 8, 12, 16].map((at) => data.readUInt32BE(at)) as [number, number, number, number];
  const seconds = data.readUInt16BE(20) / (data.readUInt16BE(22) || DEFAULT_DENOMINATOR);
  const dispose = DISPOSALS[data[24] ?? 0] ?? 'keep';
  return { x, y, width, height, time: Math.round(seconds * MILLISECONDS), dispose, isOver: data[25] === 1, parts: [] };
}

function assertFrame({ x, y, width, height, parts }: ApngFrame, canvas: Apng, which: string): void {
  const isWithin = width > 0 && height > 0 && x + width <= canvas.width && y + height <= canvas.height;
  if (isWithin && parts.length > 0) return;
  throw new BadImageError(
    which,
    isWithin ? 'expected pixels, got none' : 'expected a place within the picture, got one beyond it',
  );
}
