import type { Request } from 'express';
import type { z } from 'zod';
import { otherNames } from '../options/other-names.ts';
import { expectation, readBy } from '../options/values.ts';
import { BadFieldError } from './errors.ts';

const NAMED_UNKNOWN_FIELDS = 20;

/** The text fields of a form or a query, by name. An empty one counts as not given: that is how browsers send it. */
export class Fields {
  readonly #values = new Map<string, string>();
  readonly #repeated = new Set<string>();

  static ofQuery(query: Request['query']): Fields {
    const fields = new Fields();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) if (typeof one === 'string') fields.add(name, one);
    }
    return fields;
  }

  add(name: string, value: string): void {
    if (value.trim() === '') return;
    if (this.#values.has(name)) this.#repeated.add(name);
    this.#values.set(name, value);
  }

  /** The value of a field that is dealt with here, and is none of the others any more. */
  take(name: string): string | undefined {
    const value = this.#values.get(name);
    if (this.#repeated.has(name)) throw new BadFieldError(name, 'expected once, got several times');
    this.#values.delete(name);
    return value;
  }

  overriddenBy(other: Fields): Fields {
    const fields = new Fields();
    for (const [name, value] of [...this.#values, ...other.#values]) fields.#values.set(name, value);
    for (const name of [...this.#repeated, ...other.#repeated]) fields.#repeated.add(name);
    return fields;
  }

  /** @throws BadFieldError where a name came twice: which one was meant cannot be known */
  entries(): readonly (readonly [name: string, value: string])[] {
    for (const name of this.#repeated) throw new BadFieldError(name, 'expected once, got several times');
    return [...this.#values];
  }
}

/** What a request asks for, and what of it is not known here. */
export interface Parameters<T> {
  readonly values: T;
  /** One for each field that the schema does not have; such fields are ignored. */
  readonly warnings: readonly string[];
}

/**
 * Reads named values by a schema, which may come under other names that stand for its fields (`options/other-names.ts`).
 * @throws BadFieldError for the first bad one: its name as it came, what is allowed, what came
 */
export function parseParameters<S extends z.ZodObject>(
  schema: S,
  entries: Iterable<readonly [name: string, value: unknown]>,
): Parameters<z.output<S>> {
  const has = (name: string): boolean => Object.hasOwn(schema.shape, name);
  const others = otherNames(has);
  const known = new Map<string, SentValue>();
  const unknown: string[] = [];
  for (const [name, value] of entries) {
    const field = has(name) ? name : others.get(name);
    if (field === undefined) unknown.push(name);
    else if (value !== null) known.set(field, oneOf(known.get(field), { name, value }));
  }
  const parsed = readBy(schema, Object.fromEntries([...known].map(([field, { value }]) => [field, value])));
  if (parsed.success) return { values: parsed.data, warnings: unknownFieldWarnings(unknown) };
  const [issue] = parsed.error.issues;
  const [field = '', ...within] = issue?.path ?? [];
  const sent = known.get(String(field));
  throw new BadFieldError(nameOf([sent?.name ?? field, ...within]), expectation(issue), valueAt(sent?.value, within));
}

/** A value under the name by which it came. */
interface SentValue {
  readonly name: string;
  readonly value: unknown;
}

/** What came twice, under two names that mean the same, must say the same. */
function oneOf(before: SentValue | undefined, now: SentValue): SentValue {
  if (before === undefined || isSame(before.value, now.value)) return before ?? now;
  const both = `${JSON.stringify(before.value)} and ${JSON.stringify(now.value)}`;
  throw new BadFieldError(
    `${before.name}, ${now.name}`,
    `mean the same and must not differ, got ${both.slice(0, 200)}`,
  );
}

function isSame(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((value) => String(value).trim()) as [string, string];
  return a === b || (a !== '' && b !== '' && Number(a) === Number(b));
}

/** `images[2].data` for `['images', 2, 'data']`. */
function nameOf(path: readonly PropertyKey[]): string {
  const parts = path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${String(key)}`));
  return parts.join('');
}

/** What was sent at a path within a value; undefined where there is nothing. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((within, key) => {
    const isThere = typeof within === 'object' && within !== null && Object.hasOwn(within, key);
    return isThere ? (within as Record<PropertyKey, unknown>)[key] : undefined;
  }, value);
}

function unknownFieldWarnings(unknown: readonly string[]): string[] {
  const warnings = unknown
    .slice(0, NAMED_UNKNOWN_FIELDS)
    .map((name) => `unknown field ${JSON.stringify(name.slice(0, 64))} was ignored`);
  const more = unknown.length - warnings.length;
  return more > 0 ? [...warnings, `${more} more unknown fields were ignored`] : warnings;
}
