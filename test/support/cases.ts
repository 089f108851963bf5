import { fileURLToPath } from 'node:url';

/** A conformance case of test/fixtures/cases: tensors that the reference network or tool took and gave. */
export function caseFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/cases/${name}.safetensors`, import.meta.url));
}
