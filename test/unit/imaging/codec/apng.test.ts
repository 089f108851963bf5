import { describe, expect, it } from '@jest/globals';
import { deflateSync } from 'node:zlib';
import { openAnimation } from '../../../../app/imaging/codec/animation/animation.ts';
import { makePngChunk } from '../../../../app/imaging/codec/png-chunks.ts';

const LIMITS = { maxPixels: 100, name: 'a.png' };

interface Drawn {
  readonly x: number;
  readonly width: number;
  readonly dispose?: 0 | 1 | 2;
  readonly blend?: 0 | 1;
  /** Gray and alpha of each pixel. */
  readonly pixels: readonly number[];
}

/** A PNG of 4 x 1 pixels, gray with alpha, that moves; `still` is a picture before it that is no frame. */
function apng(drawn: readonly Drawn[], still?: readonly number[]): Buffer {
  let sequence = 0;
  const number = (value: number): Buffer =>
    Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
  const packed = (pixels: readonly number[]): Buffer => deflateSync(Buffer.from([0, ...pixels]));
  const frames = drawn.flatMap(({ x, width, dispose = 0, blend = 0, pixels }, index) => {
    const place = Buffer.concat([width, 1, x, 0].map(number));
    const control = Buffer.concat([number(sequence++), place, Buffer.from([0, 1, 0, 0, dispose, blend])]);
    const isFirst = index === 0 && !still;
    const data = isFirst ? packed(pixels) : Buffer.concat([number(sequence++), packed(pixels)]);
    return [makePngChunk('fcTL', control), makePngChunk(isFirst ? 'IDAT' : 'fdAT', data)];
  });
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    makePngChunk('IHDR', Buffer.concat([number(4), number(1), Buffer.from([8, 4, 0, 0, 0])])),
    makePngChunk('acTL', Buffer.concat([number(drawn.length), number(0)])),
    ...(still ? [makePngChunk('IDAT', packed(still))] : []),
    ...frames,
    makePngChunk('IEND', new Uint8Array(0)),
  ]);
}

async function framesOf(file: Buffer): Promise<number[][]> {
  const animation = await openAnimation(file, LIMITS);
  const frames: number[][] = [];
  for await (const { data } of animation?.frames() ?? []) frames.push([...data]);
  return frames;
}

const FIRST = { x: 0, width: 4, pixels: [10, 255, 20, 255, 30, 0, 40, 255] };

describe('The frames of a PNG that moves', () => {
  it('are drawn in their places, in place of what was there or over it', async () => {
    const replaced = { x: 1, width: 2, pixels: [99, 0, 98, 128] };
    const over = { ...replaced, blend: 1 } as const;
    expect(await framesOf(apng([FIRST, replaced]))).toEqual([FIRST.pixels, [10, 255, 99, 0, 98, 128, 40, 255]]);
    expect(await framesOf(apng([FIRST, over]))).toEqual([FIRST.pixels, [10, 255, 20, 255, 98, 128, 40, 255]]);
    const half = { x: 0, width: 1, pixels: [110, 51], blend: 1 } as const;
    expect((await framesOf(apng([FIRST, half])))[1]?.slice(0, 2)).toEqual([30, 255]);
  });

  it('are cleared, or what was below them comes back, before the next is drawn', async () => {
    const shown = { x: 1, width: 2, pixels: [77, 255, 78, 255] };
    const last = { x: 3, width: 1, pixels: [5, 255] };
    const third = async (dispose: 0 | 1 | 2) => (await framesOf(apng([FIRST, { ...shown, dispose }, last])))[2];
    expect(await third(0)).toEqual([10, 255, 77, 255, 78, 255, 5, 255]);
    expect(await third(1)).toEqual([10, 255, 0, 0, 0, 0, 5, 255]);
    expect(await third(2)).toEqual([10, 255, 20, 255, 30, 0, 5, 255]);
  });

  it('do not include a picture for readers that know no animations', async () => {
    const other = { ...FIRST, pixels: [1, 255, 2, 255, 3, 255, 4, 255] };
    const still = [9, 255, 9, 255, 9, 255, 9, 255];
    expect(await framesOf(apng([FIRST, other], still))).toEqual([FIRST.pixels, other.pixels]);
  });

  it('say their times in any fraction of a second', async () => {
    const animation = await openAnimation(apng([FIRST, FIRST]), LIMITS);
    expect(animation).toMatchObject({ times: [10, 10], plays: 0, count: 2 });
  });

  it('beyond the picture are refused, with their number', async () => {
    await expect(openAnimation(apng([FIRST, { ...FIRST, x: 1 }]), LIMITS)).rejects.toThrow(/a\.png: frame 2.*beyond/);
  });
});
