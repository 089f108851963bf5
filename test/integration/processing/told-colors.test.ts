import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DecodedPictures } from '../../../app/imaging/codec/decoded-pictures.ts';
import { picturePart } from '../../../app/imaging/codec/picture-part.ts';
import { OUTPUT_FORMAT_NAMES } from '../../../app/options/output-formats.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import type { SeenColor } from '../../support/images/seen-colors.ts';
import { seenPatches } from '../../support/images/seen-colors.ts';
import { TOLD_COLORS, toldColorResults, TOLD_COLORS_FOLDER } from '../../support/images/told-colors.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NAMES = Object.keys(TOLD_COLORS);
const HDR = /pq|hlg/;
/** Of 255. */
const TOLERANCE = 2;

let folder: TemporaryFolder;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

describe('Colours, by what the file says of them', () => {
  it.each(NAMES)('are read from %s as the formulas say', async (name) => {
    expectNear(await seenPatches(join(TOLD_COLORS_FOLDER, name)), TOLD_COLORS[name] ?? []);
  });

  describe.each(OUTPUT_FORMAT_NAMES)('in %s', (format) => {
    let kept: Map<string, ImageResult>;
    beforeAll(async () => void (kept = await toldColorResults(folder.path, format, 'keep')));

    it.each(NAMES)('are seen as those of %s', async (name) => {
      expectNear(await seenPatches(kept.get(name)?.file ?? ''), TOLD_COLORS[name] ?? []);
    });

    it('are seen in the parts that the page shows, from its file and from the decoded one', async () => {
      const decoded = new DecodedPictures({ minBytes: 1, maxBytes: 1e9 });
      const part = { region: { x: 0, y: 0, width: 64, height: 64 }, width: 32 };
      for (const [name, { file }] of kept) {
        const parts = [await picturePart(file, part, decoded), await picturePart(file, part, decoded)];
        for (const picture of parts) {
          const path = join(folder.path, 'part.png');
          writeFileSync(path, picture);
          expectNear(await seenPatches(path), TOLD_COLORS[name] ?? []);
        }
      }
    });

    it('of HDR stay codes, or are warned of', () => {
      for (const [name, { info }] of kept) {
        const isTold = !HDR.test(name) || format === 'png' || format === 'avif';
        expect([name, info.warnings.some((warning) => warning.includes('HDR'))]).toEqual([name, !isTold]);
      }
    });
  });

  it('outlive strip', async () => {
    const stripped = await toldColorResults(mkdtempSync(join(folder.path, 'stripped-')), 'png', 'strip');
    for (const name of NAMES) expectNear(await seenPatches(stripped.get(name)?.file ?? ''), TOLD_COLORS[name] ?? []);
  });
});

function expectNear(seen: readonly SeenColor[], expected: readonly (readonly number[])[]): void {
  expect(seen.length).toBe(expected.length);
  const far = seen.flatMap((color, patch) =>
    color.flatMap((value, channel) => {
      const wanted = expected[patch]?.[channel] ?? NaN;
      const isNear = Math.abs(value - wanted) <= TOLERANCE;
      return isNear ? [] : [`patch ${patch}, channel ${channel}: ${value.toFixed(1)} instead of ${wanted.toFixed(1)}`];
    }),
  );
  expect(far).toEqual([]);
}
