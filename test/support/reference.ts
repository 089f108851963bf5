import { describe, it } from '@jest/globals';
import { referencePath } from './machines/reference-path.ts';

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
