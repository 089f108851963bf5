import { describe, expect, it } from '@jest/globals';
import { openAnimation } from '../../../../app/imaging/codec/animation/animation.ts';
import { gifFrames } from '../../../../app/imaging/codec/pixels/gif-frame.ts';

const [WIDTH, HEIGHT] = [40, 30];
const COLORS = [
  [0, 0, 0],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
] as const;
const [RED, GREEN, BLUE] = [1, 2, 3];
const [KEEP, CLEAR, RESTORE] = [1, 2, 3];

interface Frame {
  readonly place: readonly [x: number, y: number, width: number, height: number];
  readonly color: number;
  readonly disposal: number;
}

/** A GIF of frames of one colour each. */
function gif(frames: readonly Frame[]): Buffer {
  const screen = [...shorts(WIDTH, HEIGHT), 0x81, 0, 0];
  const blocks = frames.flatMap(({ place: [x, y, width, height], color, disposal }) => [
    ...[0x21, 0xf9, 4, disposal << 2, 10, 0, 0, 0],
    ...[0x2c, ...shorts(x, y, width, height), 0, ...codesOf(color, width * height)],
  ]);
  return Buffer.from([...Buffer.from('GIF89a'), ...screen, ...COLORS.flat(), ...blocks, 0x3b]);
}

function shorts(...values: readonly number[]): number[] {
  return values.flatMap((value) => [value & 255, value >> 8]);
}

/** Pixels of one colour, each a code of 3 bits: the table of codes is cleared before it grows. */
function codesOf(color: number, count: number): number[] {
  const [clear, end] = [4, 5];
  const pixels = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? [clear, color] : [color]));
  const bits = [...pixels.flat(), end].map((code) => [code & 1, (code >> 1) & 1, code >> 2]).flat();
  const bytes = Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
    bits.slice(i * 8, i * 8 + 8).reduce((byte, bit, at) => byte | (bit << at), 0),
  );
  const blocks = Array.from({ length: Math.ceil(bytes.length / 255) }, (_, i) => bytes.slice(i * 255, i * 255 + 255));
  return [2, ...blocks.flatMap((block) => [block.length, ...block]), 0];
}

/** What each frame shows at a place of the first frame, of the second, of the third, and where none is. */
async function shown(file: Buffer): Promise<string[]> {
  const animation = await openAnimation(file, { maxPixels: 1e6, name: 'a.gif' });
  const seen: string[] = [];
  for await (const { data, channels } of animation?.frames() ?? []) {
    const at = (x: number, y: number): string => {
      const start = (y * WIDTH + x) * channels;
      const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(start, start + channels);
      if (alpha === 0) return '-';
      return red > 0 ? 'r' : green > 0 ? 'g' : blue > 0 ? 'b' : 'k';
    };
    seen.push([at(15, 10), at(27, 17), at(1, 1), at(39, 29)].join(''));
  }
  return seen;
}

describe('The frames of a GIF', () => {
  const files = (second: number): Buffer =>
    gif([
      { place: [5, 4, 20, 12], color: RED, disposal: KEEP },
      { place: [25, 15, 10, 10], color: GREEN, disposal: second },
      { place: [0, 0, 8, 8], color: BLUE, disposal: KEEP },
    ]);

  it.each([
    ['stay', KEEP, ['r---', 'rg--', 'rgb-']],
    ['are cleared', CLEAR, ['r---', 'rg--', 'r-b-']],
    ['give way to what was before', RESTORE, ['r---', 'rg--', 'r-b-']],
  ])('show nothing where none has been, as browsers do, when they %s', async (_name, disposal, expected) => {
    expect(await shown(files(disposal))).toEqual(expected);
  });

  it('leave the canvas empty where the one that filled it is cleared', async () => {
    const whole = { place: [0, 0, WIDTH, HEIGHT], color: RED, disposal: CLEAR } as const;
    expect(await shown(gif([whole, { place: [25, 15, 10, 10], color: GREEN, disposal: KEEP }]))).toEqual([
      'rrrr',
      '-g--',
    ]);
  });

  it('are told as far as the file goes', () => {
    const file = files(CLEAR);
    expect([...gifFrames(file)].map(({ x, disposal }) => [x, disposal])).toEqual([
      [5, 'keep'],
      [25, 'clear'],
      [0, 'keep'],
    ]);
    expect([...gifFrames(file.subarray(0, file.length - 30))].length).toBe(3);
    for (let length = 0; length < file.length; length += 7)
      expect([...gifFrames(file.subarray(0, length))].length).toBeLessThan(4);
  });
});
