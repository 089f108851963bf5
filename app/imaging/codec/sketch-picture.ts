import { readSketch } from '../sketch-file.ts';
import { sharp } from './codec-sharp.ts';
import { inTurn } from './turns.ts';
import { vipsWork } from './vips-work.ts';

/** Quick to write, and good enough to watch. */
const WEBP = { quality: 80, alphaQuality: 50, effort: 0 } as const;

/** What a sketch file shows by now, as a WebP. Rejects as `readSketch` does. */
export function sketchPicture(file: string): Promise<Buffer> {
  return inTurn(async () => {
    const { width, height, channels, data } = await readSketch(file);
    return vipsWork(() => sharp(data, { raw: { width, height, channels } }).webp(WEBP).toBuffer());
  });
}
