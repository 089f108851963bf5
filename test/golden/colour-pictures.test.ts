import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../app/checkpoints/safetensors-writer.ts';
import type { Image } from '../../app/imaging/image.ts';
import { resampleImage } from '../../app/imaging/pillow/resample.ts';
import { rowsOf } from '../../app/imaging/rows.ts';
import type { AbMap } from '../../app/processing/restore/color/ddcolor-picture.ts';
import { DDCOLOR_SIDE, ddcolorInput, paintAb } from '../../app/processing/restore/color/ddcolor-picture.ts';
import {
  deoldifyColors,
  deoldifyInput,
  paintChroma,
  renderSide,
} from '../../app/processing/restore/color/deoldify-picture.ts';
import { caseFile } from '../support/cases.ts';
import { collectImage, difference, shareWithin } from '../support/images/images.ts';
import { readPng } from '../support/images/png.ts';
import { describeWithReference } from '../support/reference.ts';
import { runHashedNetwork } from '../support/networks/run-hashed-network.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { largestDifference } from '../support/networks/largest-difference.ts';

const NETWORK_TIMEOUT_MS = 300_000;

describeWithReference('Colouring a picture', ['goldens', 'pipelines', 'colour'], (folder) => {
  let street: Image;
  const golden = (name: string): Image => readPng(readFileSync(join(folder, name)));
  beforeAll(() => {
    street = golden('street.png');
  });

  describe.each([256, 512])('as DDColor does at %i pixels', (side) => {
    it('shows the network what the reference shows it', () => {
      const seen = ddcolorInput(rowsOf(street), side);
      const expected = readTensor(openCheckpoint(caseFile(`ddcolor_pre_${side}`)), 'network_input_sample');
      expect(largestDifference(everyNth(seen, side, 7), expected)).toBeLessThan(3e-4); // the golden allows ten times that
    });

    it('is within a level of the reference', () => {
      const apart = difference(inAb(street, { side, data: stubAb(side) }), golden(`ddcolor-stub-${side}.png`));
      expect(apart.max).toBeLessThanOrEqual(1);
      expect(apart.mean).toBeLessThan(0.01);
    });
  });

  describe('as DeOldify does', () => {
    it('shows the network what the reference shows it', () => {
      const seen = deoldifyInput(rowsOf(street), renderSide(7));
      const expected = readTensor(openCheckpoint(caseFile('deoldify_pre_7')), 'network_input_sample');
      expect(largestDifference(everyNth(seen, renderSide(7), 5), expected)).toBeLessThan(1e-5);
    });

    it.each([7, 10, 35])('is within a level of the reference at a render factor of %i', (factor) => {
      const colors = deoldifyColors(asGuessed(stubAnswer(street, factor)), renderSide(factor));
      const apart = difference(inChroma(street, colors), golden(`deoldify-stub-${factor}.png`));
      expect(apart.max).toBeLessThanOrEqual(1);
      expect(apart.mean).toBeLessThan(0.001);
    });

    it('is within a level of what DeOldify itself makes, which takes the answer as it is', () => {
      const colors = deoldifyColors(stubAnswer(street, 10), renderSide(10));
      expect(difference(inChroma(street, colors), ownGolden('deoldify-stub-10.png')).max).toBeLessThanOrEqual(1);
    });

    it('makes the small picture that the reference makes', () => {
      const colors = deoldifyColors(asGuessed(stubAnswer(street, 10)), renderSide(10));
      const enlarged = resampleImage(colors, street.width, street.height, 'BILINEAR');
      expect(difference(enlarged, golden('deoldify-stub-10-raw.png')).max).toBe(0);
    });
  });

  describe.each(['ddcolor_paper_tiny', 'ddcolor_modelscope'])('with the network of %s', (manifest) => {
    onlyIf(isAffordable(manifest))(
      'is as far from the reference as its golden allows',
      async () => {
        const answer = await runSquare(manifest, ddcolorInput(rowsOf(street)), DDCOLOR_SIDE);
        const painted = inAb(street, { side: DDCOLOR_SIDE, data: answer });
        const expected = golden(`${manifest}-512.png`);
        expect(difference(painted, expected).mean).toBeLessThanOrEqual(0.6);
        expect(shareWithin(painted, expected, 6)).toBeGreaterThanOrEqual(0.995);
      },
      NETWORK_TIMEOUT_MS,
    );
  });

  describe.each([
    ['ColorizeArtistic_gen', 9],
    ['ColorizeStable_gen', 6],
  ])('with the network of %s', (manifest, factor) => {
    onlyIf(isAffordable(manifest))(
      'is as far from the reference as its golden allows',
      async () => {
        const side = renderSide(factor);
        const answer = await runSquare(manifest, deoldifyInput(rowsOf(street), side), side);
        const expectNear = (painted: Image, expected: Image): void => {
          expect(difference(painted, expected).mean).toBeLessThanOrEqual(0.3);
          expect(shareWithin(painted, expected, 3)).toBeGreaterThanOrEqual(0.995);
        };
        const name = `${manifest}-${factor}.png`;
        expectNear(inChroma(street, deoldifyColors(asGuessed(answer), side)), golden(name));
        if (manifest !== 'ColorizeArtistic_gen') return;
        expectNear(inChroma(street, deoldifyColors(answer, side)), ownGolden(name));
      },
      NETWORK_TIMEOUT_MS,
    );
  });
});

/** Networks of 200 million parameters take gigabytes, and are run only where HIRESFIX_FULL_SIZE is set. */
function isAffordable(manifest: string): boolean {
  return Boolean(process.env['HIRESFIX_FULL_SIZE']) || !['ddcolor_modelscope', 'ColorizeStable_gen'].includes(manifest);
}

function onlyIf(condition: boolean): typeof it | typeof it.skip {
  return condition ? it : it.skip;
}

async function runSquare(manifest: string, input: Float32Array, side: number): Promise<Float32Array> {
  const folder = await temporaryFolder();
  try {
    const file = join(folder.path, 'input.safetensors');
    writeSafetensors(file, new Map([['input', { shape: [1, 3, side, side], dtype: 'float32', data: input }]]));
    const { outputs } = await runHashedNetwork(manifest, [{ input: file }]);
    return outputs[0] ?? new Float32Array();
  } finally {
    await folder.remove();
  }
}

function inAb(picture: Image, ab: AbMap): Image {
  return collectImage(picture, (sink) => paintAb(rowsOf(picture), ab, sink, () => undefined));
}

function inChroma(picture: Image, colors: Image): Image {
  return collectImage(picture, (sink) => paintChroma(rowsOf(picture), colors, sink, () => undefined));
}

/** Elements `[..., 2::step, 3::step]` of [1, 3, side, side]. */
function everyNth(planes: Float32Array, side: number, step: number): Float32Array {
  const picked: number[] = [];
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 2; y < side; y += step) {
      for (let x = 3; x < side; x += step) picked.push(planes[(channel * side + y) * side + x] ?? NaN);
    }
  }
  return Float32Array.from(picked);
}

/** The chroma that stands for DDColor's network: a = 35 sin(2 pi (3 x + 2 y)) + 6, b = 30 cos(2 pi (2 x - y)) - 9. */
function stubAb(side: number): Float32Array {
  const planes = new Float32Array(2 * side * side);
  for (let place = 0; place < side * side; place++) {
    const [x, y] = [(place % side) / side, Math.floor(place / side) / side];
    planes[place] = 35 * Math.sin(2 * Math.PI * (3 * x + 2 * y)) + 6;
    planes[side * side + place] = 30 * Math.cos(2 * Math.PI * (2 * x - y)) - 9;
  }
  return planes;
}

/** What stands for DeOldify's network: 0.8 of its input, and a ramp of colours. */
function stubAnswer(picture: Image, factor: number): Float32Array {
  const side = renderSide(factor);
  return deoldifyInput(rowsOf(picture), side).map((value, i) => {
    const [column, row] = [(i % side) / side, (Math.floor(i / side) % side) / side];
    const ramp = [column - 0.5, row - 0.3, 0.4 - column * row][Math.floor(i / side ** 2)] ?? NaN;
    return 0.8 * value + 1.5 * ramp;
  });
}

/** A picture that the original makes with the loss that DeOldify gives it: test/fixtures/colour/generate.py. */
function ownGolden(name: string): Image {
  return readPng(readFileSync(new URL(`../fixtures/colour/${name}`, import.meta.url)));
}

/**
 * The reference's DeOldify pictures were made with a fastai Learner that was given no loss. fastai takes that for NLL, and the
 * exponential of the answer for its meaning; DeOldify gives it another, by which the answer is taken as it is, and so does the
 * product (docs/adr/0007). What comes before and after is the same.
 */
function asGuessed(answer: Float32Array): Float32Array {
  return answer.map((value) => Math.exp(value));
}
