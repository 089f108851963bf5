import { CheckpointError, quoted } from '../errors.ts';
import type { PickleDict, PickleValue } from '../pickle/pickle-values.ts';
import { kindOf, PickleCall, PickleTuple } from '../pickle/pickle-values.ts';
import { pickledRank } from '../pickle/tensors-from-pickle.ts';
import { isAverage, isCounterName, isSideKey } from './names-of-parts.ts';

/** Keys under which training code keeps the weights, the best first (spandrel's order); others come after them. */
const WRAPPERS = ['model_state_dict', 'state_dict', 'params_ema', 'params-ema', 'params', 'model', 'net'];
/** Deeper, and in longer lists, nobody puts his weights. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 16;

interface StateDictRoot {
  /** The keys that led to the state dict. */
  readonly path: readonly string[];
  readonly dict: PickleDict;
}

interface Candidate extends StateDictRoot {
  readonly weights: number;
}

/** A value of the tree, and the dicts and lists around it, the outermost first. */
interface Branch {
  readonly path: readonly string[];
  readonly value: PickleValue;
  readonly around: readonly PickleValue[];
}

/**
 * Finds the state dict in what `torch.save` was given: the dict that holds tensors, wherever it lies. Averaged weights go
 * before raw ones, discriminators, losses and optimizers last.
 * @throws CheckpointError `not-a-checkpoint` where nothing holds any
 */
export function findStateDict(tree: PickleValue): StateDictRoot {
  const [best] = candidatesIn(tree).sort(
    (a, b) => rankOf(a.path) - rankOf(b.path) || a.path.length - b.path.length || b.weights - a.weights,
  );
  if (best !== undefined) return { path: best.path, dict: best.dict };
  throw noTensors(tree);
}

/**
 * Dicts that hold tensors of one dimension or more, nearer ones first, without those in which a dict of more of them lies: their own are
 * a training's (states of random generators, losses). Where there is none, those that hold any tensor.
 */
function candidatesIn(tree: PickleValue): Candidate[] {
  const visited = new Set<PickleValue>();
  const found: Candidate[] = [];
  const scalars: Candidate[] = [];
  const mostWithin = new Map<PickleValue, number>();
  let level: Branch[] = [{ path: [], value: tree, around: [] }];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: Branch[] = [];
    for (const { path, value, around } of level) {
      if (visited.has(value)) continue;
      visited.add(value);
      const weights = value instanceof Map ? countWeights(value) : 0;
      if (value instanceof Map) (weights > 0 ? found : scalars).push({ path, dict: value, weights });
      const outers = path.some(isSideKey) ? [] : around;
      for (const outer of outers) mostWithin.set(outer, Math.max(weights, mostWithin.get(outer) ?? 0));
      const children = childrenOf(value);
      const inside = children.length > 0 ? [...around, value] : around;
      for (const [key, inner] of children) next.push({ path: [...path, key], value: inner, around: inside });
    }
    level = next;
  }
  if (found.length === 0) return scalars.filter(({ dict }) => [...dict.values()].some(isTensor));
  return found.filter(({ dict, weights }) => weights >= (mostWithin.get(dict) ?? 0));
}

function childrenOf(value: PickleValue): [string, PickleValue][] {
  if (value instanceof Map) {
    return [...value].flatMap(([key, inner]): [string, PickleValue][] => {
      const name = keyName(key);
      return name !== undefined && isBranch(inner) ? [[name, inner]] : [];
    });
  }
  const items = value instanceof PickleTuple ? value.items : value;
  if (!Array.isArray(items) || items.length > MAX_ITEMS) return [];
  return items.flatMap((item: PickleValue, i): [string, PickleValue][] => (isBranch(item) ? [[String(i), item]] : []));
}

/** A key as it is told: a string as it is, a number (the index of a network) in digits. */
function keyName(key: PickleValue): string | undefined {
  if (typeof key === 'string') return key;
  return typeof key === 'number' ? String(key) : undefined;
}

function isBranch(value: PickleValue): boolean {
  return value instanceof Map || value instanceof PickleTuple || Array.isArray(value);
}

function isTensor(value: PickleValue): boolean {
  return pickledRank(value) !== undefined;
}

function countWeights(dict: PickleDict): number {
  let count = 0;
  for (const [name, value] of dict) {
    if (typeof name === 'string' && !isCounterName(name) && (pickledRank(value) ?? 0) > 0) count += 1;
  }
  return count;
}

/** Lower is better. */
function rankOf(path: readonly string[]): number {
  if (path.some(isSideKey)) return 2 * WRAPPERS.length;
  if (path.some(isAverage)) return -1;
  const ranks = path.map((key) => WRAPPERS.indexOf(key)).filter((rank) => rank >= 0);
  return path.length === 0 ? 0 : Math.min(WRAPPERS.length, ...ranks);
}

/** What stands beside the keys of a path: passed over, and told. */
export function besides(tree: PickleValue, path: readonly string[]): string[] {
  const found: string[] = [];
  let value = tree;
  path.forEach((key, depth) => {
    if (!(value instanceof Map)) return;
    const entries = [...value].flatMap(([other, inner]) => {
      const name = keyName(other);
      return name === undefined ? [] : [{ name, inner }];
    });
    const others = entries.filter(({ name }) => name !== key);
    found.push(...others.map(({ name }) => [...path.slice(0, depth), name].join('.')));
    value = entries.find(({ name }) => name === key)?.inner ?? null;
  });
  return found;
}

/** The error for what holds no tensors: says what is there instead. */
export function noTensors(tree: PickleValue): CheckpointError {
  if (!(tree instanceof Map)) {
    return new CheckpointError(
      'not-a-checkpoint',
      `expected a dict of tensors (model.state_dict()), found ${kindOf(tree)}`,
    );
  }
  if (
    [...tree.keys()].some(
      (key) => typeof key === 'string' && /^(optimi[sz]ers?|schedulers?|lr_schedulers?)(_states?)?$/.test(key),
    )
  ) {
    return new CheckpointError(
      'not-a-checkpoint',
      'this is the state of a training without the weights: take those that lie beside it (net_g_….pth, not ….state)',
    );
  }
  if (holdsArrays(tree)) {
    return new CheckpointError(
      'not-a-checkpoint',
      'expected tensors, found arrays of NumPy: make tensors of them (torch.from_numpy) and save these with torch.save',
    );
  }
  const keys = [...tree.keys()].slice(0, 8).map((key) => (typeof key === 'string' ? quoted(key) : kindOf(key)));
  const found = keys.length === 0 ? 'an empty dict' : `a dict with ${keys.join(', ')}${tree.size > 8 ? ' …' : ''}`;
  return new CheckpointError('not-a-checkpoint', `expected named tensors (model.state_dict()), found ${found}`);
}

/** Whether a dict, or one in it, holds arrays of NumPy, as `torch.save` pickles them. */
function holdsArrays(tree: PickleDict): boolean {
  const dicts = new Set([tree]);
  for (const dict of dicts) {
    for (const value of dict.values()) {
      if (value instanceof Map) dicts.add(value); // once each, however often the pickle repeats it
      if (value instanceof PickleCall && ARRAY_BUILDER.test(value.callee.path)) return true;
    }
  }
  return false;
}

const ARRAY_BUILDER = /^numpy\..*\._(reconstruct|frombuffer)$/;
