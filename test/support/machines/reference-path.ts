import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = fileURLToPath(new URL('../../../../shared', import.meta.url));
/** Photos, trained weights and goldens that are too large for the repository lie here, where somebody has them. */
const ROOT = resolve(process.env['HIRESFIX_REFERENCE'] ?? BESIDE);

/** The path of a reference file or folder, or `undefined` where it is absent. */
export function referencePath(...parts: readonly string[]): string | undefined {
  const path = join(ROOT, ...parts);
  return existsSync(path) ? path : undefined;
}
