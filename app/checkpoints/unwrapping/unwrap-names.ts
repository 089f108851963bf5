import type { TensorInfo } from '../state-dict.ts';
import { elementCount } from '../tensor-layout.ts';
import { isAverage, isCounterName, isSidePart } from './names-of-parts.ts';

/** What wraps a module under no name of its own; others go by what is left without them. */
const WRAPPERS: ReadonlySet<string> = new Set(['module', '_orig_mod', 'netG']);

type Named = Pick<TensorInfo, 'shape' | 'dtype'>;

interface Unwrapped<T> {
  readonly tensors: ReadonlyMap<string, T>;
  /** The names, as they are in the file, of what is no part of the network. */
  readonly leftOut: readonly string[];
}

/**
 * Takes off the names' prefixes that all weights share, again and again; of several networks under prefixes of their own,
 * leaves out discriminators and losses, and the raw weights where there is an average of them. A prefix that numbers
 * follow is kept: it is a list of layers (`model.0`, `body.0`), no wrapper. Order and values stay.
 */
export function unwrapNames<T extends Named>(tensors: ReadonlyMap<string, T>): Unwrapped<T> {
  const leftOut: string[] = [];
  let rows = [...tensors].map(([name, tensor]): Row<T> => ({
    whole: name,
    name,
    tensor,
    isWeight: isWeight(name, tensor),
  }));
  const keep = (isKept: (row: Row<T>) => boolean): void => {
    leftOut.push(...rows.filter((row) => !isKept(row)).map(({ whole }) => whole));
    rows = rows.filter(isKept);
  };
  for (let isDone = false; !isDone;) {
    const dropped = partsToDrop(rows);
    if (dropped.size > 0) keep(({ name }) => !dropped.has(firstPart(name)));
    const prefix = commonPrefix(rows);
    isDone = prefix === undefined;
    if (prefix === undefined) continue;
    keep(({ name }) => name.startsWith(prefix));
    rows = rows.map((row) => ({ ...row, name: row.name.slice(prefix.length) }));
  }
  return { tensors: new Map(rows.map(({ name, tensor }) => [name, tensor])), leftOut };
}

interface Row<T> {
  readonly whole: string;
  readonly name: string;
  readonly tensor: T;
  readonly isWeight: boolean;
}

/**
 * Whether a network could be made of it. Numbers that stand alone count something unless they are floats of a name that
 * says nothing; single rows of bytes are states of random generators.
 */
export function isWeight(name: string, { shape, dtype }: Named): boolean {
  const count = elementCount(shape);
  if (count <= 1 && isCounterName(name)) return false;
  if (dtype === 'uint8' || dtype === 'bool') return shape.length > 1;
  return count > 1 || dtype.includes('float');
}

function firstPart(name: string): string {
  const end = name.indexOf('.');
  return end < 0 ? name : name.slice(0, end);
}

/** An average is a module of its own (`net_ema.module.conv`), and one of both may be compiled (`net._orig_mod.conv`). */
function withoutWrappers(name: string): string {
  const part = firstPart(name);
  return WRAPPERS.has(part) && part !== name ? withoutWrappers(name.slice(part.length + 1)) : name;
}

/** First parts of names that are no part of the network. */
function partsToDrop(rows: readonly Row<unknown>[]): ReadonlySet<string> {
  const parts = new Map<string, Set<string>>();
  for (const { name, isWeight } of rows) {
    const part = firstPart(name);
    if (!isWeight || part === name) continue;
    const names = parts.get(part) ?? new Set();
    parts.set(part, names.add(withoutWrappers(name.slice(part.length + 1))));
  }
  const side = [...parts.keys()].filter(isSidePart);
  if (side.length === parts.size) return new Set();
  const [average] = [...parts].filter(([part]) => isAverage(part) && !isSidePart(part));
  if (average === undefined) return new Set(side);
  const [part, names] = average;
  const raw = [...parts].filter(([other, those]) => other !== part && isSame(those, names)).map(([other]) => other);
  // An average of other names cannot take the place of anything (latent diffusion writes its without dots).
  const others = [...parts.keys()].filter((other) => other !== part && !side.includes(other));
  const isUsable = raw.length > 0 || others.length === 0;
  return new Set([...side, ...(isUsable ? raw : [part])]);
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name));
}

function commonPrefix(rows: readonly Row<unknown>[]): string | undefined {
  const weights = rows.filter(({ isWeight }) => isWeight);
  const [first] = weights;
  if (first === undefined) return undefined;
  const part = firstPart(first.name);
  const prefix = `${part}.`;
  if (!weights.every(({ name }) => name.startsWith(prefix) && name.length > prefix.length)) return undefined;
  if (WRAPPERS.has(part)) return prefix;
  const rests = weights.map(({ name }) => name.slice(prefix.length));
  const isList = rests.some((rest) => /^\d/.test(rest));
  const isLayer = rests.every((rest) => !rest.includes('.'));
  return isList || isLayer ? undefined : prefix;
}
