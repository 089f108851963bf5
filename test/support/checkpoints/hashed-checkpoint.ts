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
  const folder = mkdtempSync(join(tmpdir(), 'hiresfix-weights-'));
  const file = join(folder, `${name}.pth`);
  writeHashedModel(file, name);
  return { folder, file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Writes the checkpoint of a manifest to a file of any name.
 * @param change may change the tensors before they are written
 */
export function writeHashedModel(
  file: string,
  name: string,
  change: (tensors: HashedTensors) => void = () => undefined,
): void {
  const manifest = readManifest(name);
  const tensors = buildManifestTensors(manifest);
  change(tensors);
  writeCheckpoint(file, tensors, { format: manifest.format ?? 'pth-zip', root: manifest.root });
}

type HashedTensors = ReturnType<typeof buildManifestTensors>;
