/**
 * `npm run soak:networks [-- PATTERN]`: the network of every published manifest, at full size with pseudo-random weights, upscales a picture of
 * 40 x 36 pixels alone, in a batch of two sizes, with alpha, and in tiles; and a strip in tiles of 64 pixels, which is compared with the
 * strip as a whole. A process for each family. Fails where a network that looks at its surroundings alone differs by more than one level
 * of 255, and others by more than test/fixtures/tile-differences.json states, which `STATE=1` writes anew. With `PICTURES=folder` the results
 * are kept to be looked at. Pictures are of `$HIRESFIX_REFERENCE`, or made.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { RecognisedNetwork } from '../../app/architectures/registry.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { Image } from '../../app/imaging/image.ts';
import type { Difference } from '../support/images/images.ts';
import { difference, gradient } from '../support/images/images.ts';
import { writePng } from '../support/images/png.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import { readManifest } from '../support/checkpoints/hashed-weights.ts';
import type { TiledUpscale } from '../support/networks/network-process.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import { readTileDifferences, stateTileDifference } from '../support/networks/tile-differences.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MANIFESTS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url));
const SHARED = process.env['HIRESFIX_REFERENCE'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const PHOTO = resolve(SHARED, 'photos', 'portrait.jpg');
/** The smallest tile that is chosen where nobody asks for one. */
const TILE = 64;
const STRIP_HEIGHT = 48;
const OF_PICTURES = /^(ddcolor|Colorize|GFPGAN|codeformer|RestoreFormer|detection|parsing)/;

const pattern = new RegExp(process.argv[2] ?? '');
const stated = readTileDifferences();
const faults: string[] = [];
const names = readdirSync(MANIFESTS)
  .map((file) => file.replace('.json', ''))
  .filter((name) => !OF_PICTURES.test(name) && pattern.test(name));
const families = new Set(names.map(familyOf));
const folder = await temporaryFolder();
for (const family of families) await soakFamily(names.filter((name) => familyOf(name) === family));
await folder.remove();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

function familyOf(name: string): string {
  return readManifest(name).architecture;
}

async function soakFamily(members: readonly string[]): Promise<void> {
  const child = new NetworkProcess();
  for (const name of members) {
    const checkpoint = createHashedCheckpoint(name);
    try {
      await soak(name, checkpoint.file, child);
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      checkpoint.remove();
    }
  }
  await child.close();
}

async function soak(name: string, file: string, child: NetworkProcess): Promise<void> {
  const started = Date.now();
  const network = recognise(openCheckpoint(file));
  const upscale = (images: readonly Image[], tile: number): Promise<readonly TiledUpscale[]> => {
    const jobs = images.map((image) => {
      return { image, tiling: { tile, tilePad: 'auto', prePad: 0, isOpaque: false } as const };
    });
    return child.upscale({ kind: 'upscale', files: { file }, jobs, folder: folder.path });
  };
  const small = await picture(40, 36);
  const [alone] = await upscale([small], 0);
  const [first, second] = await upscale([small, await picture(28, 44)], 0);
  const [transparent] = await upscale([withAlpha(small)], 0);
  const [cut] = await upscale([small], 24);
  const strip = await picture(2 * (TILE + network.halo), STRIP_HEIGHT);
  const [whole] = await upscale([strip], 0);
  const [tiled] = await upscale([strip], TILE);
  const far = between(tiled, whole);
  assertAlike(`${name}: in a batch`, between(first, alone).max, 1);
  assertAlike(
    `${name}: the second of a batch is ${sizeOf(second)}`,
    Math.abs((second?.image.width ?? 0) - 28 * network.scale),
    0,
  );
  assertAlike(`${name}: with alpha`, between(withoutAlpha(transparent), alone).max, 1);
  const levels = allowed(name, network);
  assertAlike(`${name}: 40 x 36 in tiles`, between(cut, alone).max, levels);
  assertAlike(`${name}: a strip in tiles`, far.max, levels);
  if (process.env['STATE'] !== undefined)
    stateTileDifference(name, { levels: far.max, mean: Number(far.mean.toPrecision(2)) });
  keep(name, { whole, tiled, transparent });
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(
    `${name.padEnd(30)} halo ${network.halo}, ${tiled?.used.tiles} tiles: ${far.max} levels, ${far.mean.toFixed(3)} on average; 40 x 36: ${between(cut, alone).max} (${seconds} s)`,
  );
}

/** The most levels of 255 that tiles may differ by. */
function allowed(name: string, { tiling }: RecognisedNetwork): number {
  if (process.env['STATE'] !== undefined) return Infinity;
  return tiling === undefined ? 1 : (stated[name]?.levels ?? 1);
}

function assertAlike(what: string, actual: number, most: number): void {
  if (!(actual <= most)) faults.push(`${what}: ${actual} levels, at most ${most} are stated`);
}

function between(a: TiledUpscale | undefined, b: TiledUpscale | undefined): Difference {
  if (!a || !b) throw new Error('no result');
  return difference(a.image, b.image);
}

function sizeOf(result: TiledUpscale | undefined): string {
  return `${result?.image.width} x ${result?.image.height}`;
}

/** A part of a photograph, or what stands in for one. */
async function picture(width: number, height: number): Promise<Image> {
  if (!existsSync(PHOTO)) return gradient({ width, height, channels: 3, depth: 8 });
  const crop = sharp(PHOTO).extract({ left: 120, top: 100, width, height }).removeAlpha().raw();
  return { width, height, channels: 3, depth: 8, data: new Uint8Array(await crop.toBuffer()) };
}

function withAlpha({ width, height, depth, data }: Image): Image {
  const pixels = Array.from({ length: width * height }, (_, i) => [...data.subarray(3 * i, 3 * i + 3), (i * 7) % 256]);
  return { width, height, channels: 4, depth, data: Uint8Array.from(pixels.flat()) };
}

function withoutAlpha(result: TiledUpscale | undefined): TiledUpscale {
  if (!result) throw new Error('no result');
  const { width, height, depth, data } = result.image;
  const colors = data.filter((_, i) => i % 4 < 3);
  return { ...result, image: { width, height, channels: 3, depth, data: colors } };
}

function keep(name: string, results: Readonly<Record<string, TiledUpscale | undefined>>): void {
  const place = process.env['PICTURES'];
  if (place === undefined) return;
  for (const [kind, result] of Object.entries(results)) {
    if (result) writeFileSync(join(place, `${name}-${kind}.png`), writePng(result.image));
  }
}
