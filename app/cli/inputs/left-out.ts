import { printable } from '../../errors.ts';

/** Why a file was not taken, in the order in which it is told. */
export type LeftOutReason = keyof typeof REASONS;

/** Something that was found in a folder, or by a pattern, and is not worked on. */
export interface LeftOut {
  readonly path: string;
  readonly reason: LeftOutReason;
}

/** What is said of so many of them. */
const REASONS = {
  not_read: 'of kinds that are not read',
  hidden: 'hidden',
  unreadable: 'that cannot be read',
  loop: 'linked to what is searched already',
  result: 'results of earlier runs',
} as const;

/** Names that are told of each reason; all are in the JSON document. */
const TOLD_NAMES = 3;

/** What was left out of the folders, and why, a line for each reason. */
export function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  return (Object.keys(REASONS) as LeftOutReason[]).flatMap((reason) => {
    const paths = leftOut.filter((one) => one.reason === reason).map(({ path }) => path);
    if (paths.length === 0) return [];
    const kinds = reason === 'not_read' ? ` (${kindsOf(paths)})` : '';
    return [printable(`left out, ${paths.length} ${REASONS[reason]}${kinds}: ${someOf(paths)}`)];
  });
}

/** `3 HEIC, 1 BMP`, the most frequent first. */
function kindsOf(paths: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const kind = /[^/\\]\.([^./\\]+)$/.exec(path)?.[1]?.toUpperCase() ?? 'without an ending';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function someOf(paths: readonly string[]): string {
  const more = paths.length - TOLD_NAMES;
  return `${paths.slice(0, TOLD_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
