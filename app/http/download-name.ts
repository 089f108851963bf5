import { extname } from 'node:path';
import type { MethodName } from '../options/methods.ts';
import { METHODS } from '../options/methods.ts';

/** File systems take names of 255 bytes. */
const MAX_BASE_BYTES = 200;
/**
 * The name under which a result is saved: the original's base, a suffix, the result's extension. Folders, control and
 * direction-changing characters, and what Windows forbids are taken out; the header's own quoting comes later.
 */
export function downloadName(originalName: string, method: MethodName, resultFile: string): string {
  const lastPart = originalName.split(/[/\\]/).at(-1) ?? '';
  const safe = lastPart.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"|?*]/gu, '').replace(/^[.\s]+/, '');
  const stem = Buffer.from(safe.slice(0, safe.length - extname(safe).length));
  const base = stem
    .subarray(0, MAX_BASE_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '')
    .trim();
  return `${base || 'image'}${METHODS[method].suffix}${extname(resultFile)}`;
}
