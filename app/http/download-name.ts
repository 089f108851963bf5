import { extname } from 'node:path';
import type { JobMethod } from '../jobs/job.ts';

const LONGEST_BASE = 100;
/** What a method adds to a name: `photo_upscaled.png`. */
const SUFFIXES: Readonly<Record<JobMethod, string>> = { upscale: '_upscaled', 'hires-fix': '_upscaled' };

/**
 * The name under which a result is saved: the original's base, a suffix, the result's extension. Folders, control and
 * direction-changing characters, and what Windows forbids are taken out; the header's own quoting comes later.
 */
export function downloadName(originalName: string, method: JobMethod, resultFile: string): string {
  const lastPart = originalName.split(/[/\\]/).at(-1) ?? '';
  const safe = lastPart.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"|?*]/gu, '').replace(/^[.\s]+/, '');
  const base = Array.from(safe.slice(0, safe.length - extname(safe).length))
    .slice(0, LONGEST_BASE)
    .join('')
    .trim();
  return `${base || 'image'}${SUFFIXES[method]}${extname(resultFile)}`;
}
