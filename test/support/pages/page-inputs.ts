import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import { writeFaceModels } from '../faces/face-models.ts';
import { writeHashedModel } from '../checkpoints/hashed-checkpoint.ts';
import { writeRestoreModels } from '../networks/restore-models.ts';

/** Pictures that the pages name, below the folder in which their commands run. */
const PICTURES = [
  ...['photo.jpg', 'photo.png', 'in.png', 'grandma.jpg', 'scan.jpg', 'inbox/first.png', 'scans/one.jpg'],
  ...['shots/one.png', 'shots/deep/two.jpg', 'group.jpg', 'crops/one.png'],
];

/** Lays out what a reader of the pages has: pictures of a few pixels under the names that the pages use. */
export async function writePageInputs(folder: string): Promise<void> {
  const picture = await sharp({
    create: {
      width: 40,
      height: 30,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .png()
    .toBuffer();
  for (const name of PICTURES) await writePicture(folder, name, sharp(picture));
  for (const name of ['one.png', 'two.png']) {
    await writePicture(folder, `references/${name}`, sharp(picture));
    await writePicture(folder, `candidates/${name}`, sharp(picture).blur(1));
  }
}

/**
 * Fills a folder of models with files under the names of official ones: random weights, which run as those do, see faces in noise, and
 * make no picture that anybody wants.
 */
export async function writePageModels(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const name of ['RealESRGAN_x2plus', 'RealESRGAN_x4plus']) writeHashedModel(join(folder, `${name}.pth`), name);
  writeHashedModel(join(folder, '4x-UltraSharp.pth'), 'RRDB_ESRGAN_x4_old_arch');
  await writeRestoreModels(folder);
  await writeFaceModels(folder, ['detection_Resnet50_Final', 'parsing_parsenet', 'codeformer', 'GFPGANv1.4']);
  copyFileSync(join(folder, 'ddcolor_paper_tiny.pth'), join(folder, 'ddcolor_modelscope.pth'));
}

async function writePicture(folder: string, name: string, picture: Sharp): Promise<void> {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  await picture.toFile(file);
}
