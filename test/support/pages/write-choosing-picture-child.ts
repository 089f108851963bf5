/**
 * Makes docs/images/choosing.webp anew (`npm run docs:choosing`): one face, enlarged twice by the upscalers that docs/choosing.md speaks
 * of. Those of others need their weights: `HIRESFIX_REFERENCE` names the folder in whose `weights/` they lie.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FACE = { left: 60, top: 40, width: 112, height: 112 };
const SCALE = 2;
const weights = (name: string): string => join(process.env['HIRESFIX_REFERENCE'] ?? '../shared', 'weights', name);
const UPSCALERS = [
  'BICUBIC',
  'COMPACT_X2',
  weights('RealESRGAN_x4plus.pth'),
  weights('RealESRGAN_x4plus_anime_6B.pth'),
];

const folder = mkdtempSync(join(tmpdir(), 'hiresfix-choosing-'));
const face = join(folder, 'face.png');
await sharp(join(ROOT, 'docs/images/sample.png')).extract(FACE).toFile(face);
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const panels = UPSCALERS.map((upscaler, index) => {
  const output = join(folder, `${index}.png`);
  const call = ['upscale', face, '-o', output, '--scale', String(SCALE), '--upscaler', upscaler];
  execFileSync(process.execPath, ['--import', tsx, join(ROOT, 'app/cli/main.ts'), ...call], {
    cwd: ROOT,
    env: { ...process.env, MODEL_DOWNLOADS: 'false' },
    stdio: 'inherit',
  });
  return { input: output, left: index * FACE.width * SCALE, top: 0 };
});
const size = { width: UPSCALERS.length * FACE.width * SCALE, height: FACE.height * SCALE };
await sharp({ create: { ...size, channels: 3, background: 'white' } })
  .composite(panels)
  .webp({ quality: 85 })
  .toFile(join(ROOT, 'docs/images/choosing.webp'));
rmSync(folder, { recursive: true });
