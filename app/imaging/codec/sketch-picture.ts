import { access } from 'node:fs/promises';
import { assertBegun } from '../sketch-file.ts';
import { openPicture } from './decoded-pictures.ts';
import { inTurn } from './turns.ts';
import { vipsWork } from './vips-work.ts';

/** Quick to write, and good enough to watch. */
const WEBP = { quality: 80, alphaQuality: 50, effort: 0 } as const;

/** What a sketch file shows by now, as a WebP with the sketch's profile. Rejects as `assertBegun` does. */
export function sketchPicture(file: string): Promise<Buffer> {
  return inTurn(async () => {
    await assertBegun(file);
    try {
      const picture = await openPicture({ pixels: file });
      return await vipsWork(() => picture.webp(WEBP).toBuffer());
    } catch (error) {
      await access(file); // its picture may have been finished meanwhile
      throw error;
    }
  });
}
