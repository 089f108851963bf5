import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from '@jest/globals';

/** Photos, trained weights and goldens that are too large for the repository lie here, where somebody has them. */
const ROOT = resolve(process.env['HIRESFIX_REFERENCE'] ?? fileURLToPath(new URL('../../../shared', import.meta.url)));

/** The path of a reference file or folder, or `undefined` where it is absent. */
export function referencePath(...parts: readonly string[]): string | undefined {
  const path = join(ROOT, ...parts);
  return existsSync(path) ? path : undefined;
}

/** A `describe` over reference material; where that is absent, its tests are skipped and the report says so by name. */
export function describeWithReference(name: string, parts: readonly string[], body: (path: string) => void): void {
  const path = referencePath(...parts);
  if (path !== undefined) {
    describe(name, () => body(path));
    return;
  }
  describe(name, () => {
    it.skip(`needs ${parts.join('/')} in $HIRESFIX_REFERENCE or ../shared`, () => undefined);
  });
}
