import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { BitDepth, Channels, Image } from '../../../../app/imaging/image.ts';
import type { Filter } from '../../../../app/imaging/pillow/resample.ts';
import { resampleImage } from '../../../../app/imaging/pillow/resample.ts';
import { difference, noise } from '../../../support/images/images.ts';

type Region = readonly [width: number, height: number, offset: number];
interface PillowCase {
  readonly mode: 'L' | 'LA' | 'RGB' | 'RGBA' | 'I;16';
  readonly filter: Filter;
  readonly input: Region;
  readonly output: Region;
}
interface LargeCase {
  readonly mode: PillowCase['mode'];
  readonly filter: Filter;
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly sha256: string;
}

const KINDS: Readonly<Record<PillowCase['mode'], readonly [Channels, BitDepth]>> = {
  L: [1, 8],
  LA: [2, 8],
  RGB: [3, 8],
  RGBA: [4, 8],
  'I;16': [1, 16],
};

/** `HIRESFIX_RESAMPLE_CASES` names another folder that the fixture's generate.py has written, for a longer run. */
const FOLDER =
  process.env['HIRESFIX_RESAMPLE_CASES'] ?? new URL('../../../fixtures/resample', import.meta.url).pathname;
const { pillow, cases, large } = JSON.parse(readFileSync(`${FOLDER}/cases.json`, 'utf8')) as {
  pillow: string;
  cases: PillowCase[];
  large: LargeCase[];
};
const samples = readFileSync(`${FOLDER}/samples.bin`);

function imageAt([width, height, offset]: Region, mode: PillowCase['mode']): Image {
  const [channels, depth] = KINDS[mode];
  const bytes = Uint8Array.from(samples.subarray(offset, offset + (width * height * channels * depth) / 8));
  return { width, height, channels, depth, data: depth === 16 ? new Uint16Array(bytes.buffer) : bytes };
}

describe(`Resampling hard cases against Pillow ${pillow}`, () => {
  it.each(cases.map((given) => ({ ...given, from: given.input.slice(0, 2), to: given.output.slice(0, 2) })))(
    '$mode $filter from $from to $to has equal samples',
    ({ mode, filter, input, output }) => {
      const result = resampleImage(imageAt(input, mode), output[0], output[1], filter);
      expect(difference(result, imageAt(output, mode))).toEqual({ max: 0, count: 0, mean: 0 });
    },
  );

  it.each(large)(
    '$mode $filter from $input to $output, many strips, has equal samples',
    ({ mode, filter, input, output, sha256 }) => {
      const [channels, depth] = KINDS[mode];
      const source = noise({ width: input[0], height: input[1], channels, depth });
      const { data } = resampleImage(source, output[0], output[1], filter);
      expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
    },
  );
});
