import { editDistance } from '../files/edit-distance.ts';
import { stemOf } from './model-files.ts';

/** What a message may take, less what is said before it. */
const MAX_KNOWN = 280;
const MAX_NEAR = 3;

/**
 * What to say of a name that nothing has: what may be meant, why a file of that name is none, and what names there are, as many
 * as a line holds.
 * @param hint a sentence of its own, told first
 */
export function unknownName(asked: string, known: readonly string[], hint?: string): string {
  const near = nearNames(asked, known).map((name) => `'${name}'`);
  const sentences = [
    hint,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : undefined,
    `Known: ${listed([...new Set(known)], hint === undefined ? MAX_KNOWN : MAX_KNOWN / 2)}`,
  ];
  return sentences.filter((sentence) => sentence !== undefined).join(' ');
}

/** The names that are a few letters off, or of which it is a part; the nearest first. */
export function nearNames(asked: string, known: readonly string[]): readonly string[] {
  const wanted = plain(asked);
  if (wanted.length < 3 || wanted.length > 100) return [];
  return [...new Set(known)]
    .map((name) => ({ name, distance: distance(wanted, plain(name)) }))
    .filter(({ distance }) => distance <= Math.max(1, wanted.length / 4))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_NEAR)
    .map(({ name }) => name);
}

function listed(names: readonly string[], room: number): string {
  const shown: string[] = [];
  let used = 0;
  for (const name of names) {
    used += name.length + 2;
    if (used > room) break;
    shown.push(name);
  }
  const more = names.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}

/** Endings, case, and what stands between letters are seldom what makes a name another. */
function plain(name: string): string {
  return stemOf(name.normalize().toLowerCase()).replaceAll(/[\s._-]/g, '');
}

/** How far two names are apart; a part of a name counts as one letter. */
function distance(one: string, other: string): number {
  if (one.length >= 4 && one !== other && other.includes(one)) return 1;
  return Math.abs(one.length - other.length) > one.length / 4 + 1 ? Infinity : editDistance(one, other);
}
