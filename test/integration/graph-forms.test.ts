import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FormsCase, FormsResult } from '../support/forms/graph-forms.ts';
import { compareForms } from '../support/forms/graph-forms.ts';

/** Two of a mean of the same numbers in another order, and what networks make of them. */
const ANOTHER_MEAN = 1e-6;

/**
 * One of each family whose networks are small or can be made so; `npm run agreement:forms` runs all, at full size. How many of its rows of
 * blocks become loops, how many loops there are within those, and of its convolutions how many have channels last.
 */
const CASES: readonly (FormsCase & {
  readonly loops: number;
  readonly innerLoops?: number;
  readonly last: 'all' | 'some' | 'none';
})[] = [
  { name: 'new-x4', from: 'small', loops: 1, innerLoops: 1, last: 'all' },
  { name: 'plus-x4-gray-growth8', from: 'small', loops: 1, innerLoops: 1, last: 'all' },
  { name: 'compact-x4', from: 'small', loops: 1, last: 'all' },
  { name: 'compact-x2-float16', from: 'small', loops: 1, last: 'all' },
  { name: 'atd-no-bias', from: 'variant', loops: 1, last: 'some' },
  { name: 'craft-identity', from: 'variant', loops: 1, last: 'some' },
  { name: 'drunet-upconv', from: 'variant', loops: 7, last: 'all' },
  { name: 'fdncnn', from: 'variant', loops: 1, last: 'all' },
  { name: 'hat-w8', from: 'variant', loops: 1, last: 'all' },
  { name: 'mosr-dysample', from: 'variant', loops: 1, last: 'some' },
  { name: 'omnisr-w4', from: 'variant', loops: 1, last: 'none' },
  { name: 'restormer-biases', from: 'variant', loops: 1, last: 'some' },
  { name: 'srformer-no-bias', from: 'variant', loops: 1, last: 'some' },
  { name: 'swinir-gray', from: 'variant', loops: 1, last: 'all' },
  { name: 'drct-identity', from: 'variant', loops: 0, last: 'all' },
  { name: 'fdat-lda', from: 'variant', loops: 0, last: 'some' },
  { name: 'grl-local-3conv', from: 'variant', loops: 0, last: 'all' },
  { name: 'moesr-dysample', from: 'variant', loops: 1, last: 'none' },
  { name: 'plksr-rectangles', from: 'variant', loops: 1, last: 'all' },
  { name: 'rgt-no-bias', from: 'variant', loops: 0, last: 'some' },
  { name: 'seemore-linear', from: 'variant', loops: 1, last: 'some' },
  { name: 'swin2sr-w7', from: 'variant', loops: 1, last: 'all' },
  { name: 'DCTLSA_x4', from: 'manifest', loops: 6, last: 'some' },
  { name: 'DITN_x4', from: 'manifest', loops: 2, last: 'none' },
  { name: 'SAFMN_x4', from: 'manifest', loops: 1, last: 'some' },
  { name: 'SwiftSRGAN_x4', from: 'manifest', loops: 1, last: 'none' },
  { name: 'spanx4_ch48', from: 'manifest', loops: 1, last: 'all' },
  { name: 'FBCNN_color', from: 'narrow', loops: 9, last: 'all' },
  { name: 'NAFNet-SIDD-width32', from: 'narrow', loops: 9, last: 'some' },
  { name: 'RCAN_x4', from: 'narrow', loops: 1, innerLoops: 1, last: 'all' },
  { name: 'ddcolor_paper_tiny', from: 'narrow', loops: 5, last: 'some' },
  { name: 'detection_Resnet50_Final', from: 'narrow', loops: 4, last: 'none' },
  { name: 'parsing_parsenet', from: 'narrow', loops: 1, last: 'none' },
];

const results = new Map<string, FormsResult>();

beforeAll(async () => {
  const found = await compareForms(CASES.map(({ name, from }) => ({ name, from })));
  for (const result of found) results.set(result.name, result);
}, 240_000);

describe.each(CASES)('The forms for GPUs of $name', ({ name, loops, innerLoops = 0, last }) => {
  const result = (): FormsResult => {
    const found = results.get(name);
    if (!found) throw new Error(`${name} was not run`);
    return found;
  };

  it('have its alike blocks as one body, which calculates the same bits', () => {
    expect(result()).toMatchObject({ loops, innerLoops, differences: { scan: 0 } });
  });

  it('have channels last where that fits, which calculates the same', () => {
    const { convolutions, channelsLast, differences } = result();
    const share = channelsLast === convolutions ? 'all' : channelsLast > 0 ? 'some' : 'none';
    expect(share).toBe(last);
    expect(Math.max(differences.last, differences.both)).toBeLessThan(ANOTHER_MEAN);
  });
});
