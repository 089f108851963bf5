/**
 * `npm run agreement [-- PATTERN]`: for every file of a folder of made ones (good ones in odd clothes, tampered, damaged and hostile
 * ones, small networks of every family), what `hiresfix models inspect` says of it is what `hiresfix upscale` makes of it: a picture, or
 * the same refusal. Through the built program; takes a quarter of an hour. With a pattern: only files whose names match it.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandEnd } from '../support/command-line.ts';
import { CommandLine } from '../support/command-line.ts';
import { noise } from '../support/images/images.ts';
import { writePng } from '../support/images/png.ts';
import { writeCheckpoint } from '../support/checkpoints/checkpoint-writer.ts';
import { GOOD_FILES, unpackGoodFiles } from '../support/checkpoints/good-files.ts';
import { buildManifestTensors, readManifest } from '../support/checkpoints/hashed-weights.ts';
import { readSmallNetworks, writeSmallNetwork } from '../support/networks/small-networks.ts';
import { writeTamperedFiles } from '../support/checkpoints/tampered-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const AT_ONCE = 2;
/** Families whose smallest published network has more are left to the goldens. */
const MAX_PARAMETERS = 8e6;
/** What `models inspect` reads, and what is no upscaler. */
const OTHER_ROLES =
  /^hiresfix: .* is a (colorizer|face-restorer|face-detector|face-parser) and cannot upscale pictures$/;

const folder = await temporaryFolder();
const program = await CommandLine.build();
const models = join(folder.path, 'files');
mkdirSync(models);
writeFileSync(join(folder.path, 'in.png'), writePng(noise({ width: 24, height: 24, channels: 3, depth: 8 })));
const pattern = new RegExp(process.argv[2] ?? '');
const files = makeFiles().filter((name) => pattern.test(name));
const disagreements: string[] = [];
let good = 0;
await Promise.all(Array.from({ length: AT_ONCE }, work));
await program.remove();
await folder.remove();
for (const line of disagreements) console.error(line);
console.log(`${disagreements.length} disagreements; of the files ${good} are good`);
process.exitCode = disagreements.length > 0 ? 1 : 0;

function makeFiles(): string[] {
  unpackGoodFiles(models);
  const readers = join(FIXTURES, 'readers');
  const broken = readdirSync(readers).filter((name) => !name.endsWith('.json'));
  for (const name of broken) copyFileSync(join(readers, name), join(models, name));
  const small = readSmallNetworks().map((network) => {
    writeSmallNetwork(join(models, `small-${network.name}.pth`), network, 'pth-zip');
    return `small-${network.name}.pth`;
  });
  const published = readdirSync(join(FIXTURES, 'manifests')).map((name) => basename(name, '.json'));
  return [
    ...GOOD_FILES.map(({ name }) => name),
    ...writeTamperedFiles(models),
    ...broken,
    ...small,
    ...published.flatMap(write),
  ];
}

function write(name: string): string[] {
  const manifest = readManifest(name);
  const count = manifest.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  if (count > MAX_PARAMETERS || !pattern.test(`${name}.pth`)) return [];
  writeCheckpoint(join(models, `${name}.pth`), buildManifestTensors(manifest), {
    format: 'pth-zip',
    root: manifest.root,
  });
  return [`${name}.pth`];
}

async function work(): Promise<void> {
  for (let name = files.shift(); name !== undefined; name = files.shift()) {
    const file = join(models, name);
    const out = join(folder.path, `${name}.png`);
    const inspected = await run('models', 'inspect', file);
    const upscaled = await run('upscale', 'in.png', '--upscaler', file, '-o', out);
    const isGood = inspected.code === 0;
    const isOther = isGood && OTHER_ROLES.test(upscaled.stderr.trim());
    if (isGood && !isOther) good += 1;
    if (isOther || (isGood ? upscaled.code === 0 : upscaled.code !== 0 && inspected.stderr === upscaled.stderr))
      continue;
    disagreements.push(
      `${name}: inspect ${inspected.code} ${inspected.stderr}  upscale ${upscaled.code} ${upscaled.stderr}`,
    );
  }
}

function run(...args: string[]): Promise<CommandEnd> {
  return program.run(args, { cwd: folder.path });
}
