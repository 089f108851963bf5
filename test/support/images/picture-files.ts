import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const PHOTO = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));

/** Writes the same photo of 240 x 180 pixels as many times into a folder, and gives the paths. */
export async function pictureFiles(folder: string, count: number): Promise<readonly string[]> {
  const buffer = await sharp(await readFile(PHOTO))
    .resize(240, 180)
    .png()
    .toBuffer();
  const files = Array.from({ length: count }, (_, index) => join(folder, `picture-${index}.png`));
  for (const file of files) await writeFile(file, buffer);
  return files;
}
