import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCheckpoint } from './checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from './hashed-weights.ts';

/** A full-size checkpoint of pseudo-random weights under its official name, in a folder of its own. */
export interface HashedCheckpoint {
  readonly folder: string;
  readonly file: string;
  remove(): void;
}

/** Writes the checkpoint of a manifest (`RealESRGAN_x4plus`) as the official file is. */
export function createHashedCheckpoint(name: string): HashedCheckpoint {
  const manifest = readManifest(name);
  const folder = mkdtempSync(join(tmpdir(), 'hiresfix-weights-'));
  const file = join(folder, `${name}.pth`);
  writeCheckpoint(file, buildManifestTensors(manifest), { format: manifest.format ?? 'pth-zip', root: manifest.root });
  return { folder, file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
