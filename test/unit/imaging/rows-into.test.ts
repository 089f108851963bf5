import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { blendRows, blendSamples } from '../../../app/imaging/blend.ts';
import { resampleImage } from '../../../app/imaging/pillow/resample.ts';
import { resizedInto, rowsInto } from '../../../app/imaging/rows-into.ts';
import { rowsOf } from '../../../app/imaging/rows.ts';
import { noise } from '../../support/images/images.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('rows in a scratch image', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  it('are those of the source, of one that is larger than a batch too', () => {
    const image = noise({ width: 700, height: 300, channels: 4, depth: 16 });
    const copy = rowsInto(rowsOf(image), folder.path);
    expect([copy.width, copy.height, copy.channels, copy.depth]).toEqual([700, 300, 4, 16]);
    expect(Buffer.compare(bytesOf(copy.readRows(0, 300)), bytesOf(image.data))).toBe(0);
    copy.dispose();
  });

  it('have another size by LANCZOS', () => {
    const image = noise({ width: 31, height: 17, channels: 3, depth: 8 });
    const resized = resizedInto(rowsOf(image), { width: 12, height: 40 }, folder.path);
    expect(resized.readRows(0, 40)).toEqual(resampleImage(image, 12, 40, 'LANCZOS').data);
    resized.dispose();
  });

  it('are those of two pictures that are blended', () => {
    const [first, second] = [1, 2].map((seed) => noise({ width: 9, height: 5, channels: 2, depth: 16 }, seed));
    if (!first || !second) throw new Error('two pictures');
    const blended = rowsInto(blendRows(rowsOf(first), rowsOf(second), 0.3), folder.path);
    const expected = first.data.slice();
    blendSamples(first.data, second.data, 0.3, expected);
    expect(blended.readRows(0, 5)).toEqual(expected);
    blended.dispose();
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
