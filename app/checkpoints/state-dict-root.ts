import { CheckpointError, quoted } from './errors.ts';
import type { PickleDict, PickleValue } from './pickle/pickle-values.ts';
import { kindOf } from './pickle/pickle-values.ts';

/** Keys under which training code keeps the weights; the first that holds a dict wins (spandrel's order). */
const WRAPPERS = ['model_state_dict', 'state_dict', 'params_ema', 'params-ema', 'params', 'model', 'net'];

/** What `nn.DataParallel` and trainers put before every name. */
const PREFIXES = ['module.', 'netG.'];

interface StateDictRoot {
  /** The keys that led to the state dict. */
  readonly path: readonly string[];
  readonly dict: PickleDict;
}

/**
 * Finds the state dict in what `torch.save` was given: under a known key, then under a single one.
 * @throws CheckpointError `not-a-checkpoint` where it is not a dict.
 */
export function unwrapStateDict(tree: PickleValue): StateDictRoot {
  if (!(tree instanceof Map)) {
    throw new CheckpointError(
      'not-a-checkpoint',
      `expected a dict of tensors (model.state_dict()), found ${kindOf(tree)}`,
    );
  }
  const path: string[] = [];
  let dict: PickleDict = tree;
  const step = (key: PickleValue | undefined): boolean => {
    const inner = key === undefined ? undefined : dict.get(key);
    if (typeof key !== 'string' || !(inner instanceof Map)) return false;
    path.push(key);
    dict = inner;
    return true;
  };
  WRAPPERS.some(step);
  if (dict.size === 1) step(dict.keys().next().value);
  return { path, dict };
}

/**
 * Takes off the prefixes that ALL names share.
 * @returns a map with the same values in the same order.
 */
export function stripCommonPrefixes<T>(tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return PREFIXES.reduce((named, prefix) => {
    const isCommon = [...named.keys()].every((name) => name.startsWith(prefix) && name.length > prefix.length);
    return isCommon ? new Map([...named].map(([name, value]) => [name.slice(prefix.length), value])) : named;
  }, tensors);
}

/** The error for a dict without tensors: says what is there instead. */
export function noTensors(dict: PickleDict): CheckpointError {
  const keys = [...dict.keys()].slice(0, 8).map((key) => (typeof key === 'string' ? quoted(key) : kindOf(key)));
  const found = keys.length === 0 ? 'an empty dict' : `a dict with ${keys.join(', ')}${dict.size > 8 ? ' …' : ''}`;
  return new CheckpointError('not-a-checkpoint', `expected named tensors (model.state_dict()), found ${found}`);
}
