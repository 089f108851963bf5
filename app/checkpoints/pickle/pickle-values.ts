/** A name that a pickle refers to. It is never looked up: this is all there is of it. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  /** As Python writes it: `torch._utils._rebuild_tensor_v2`. */
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** A call that Python would have made. Nothing makes it here: who understands the callee reads the arguments. */
export class PickleCall {
  readonly callee: PickleGlobal;
  readonly args: readonly PickleValue[];

  constructor(callee: PickleGlobal, args: readonly PickleValue[]) {
    this.callee = callee;
    this.args = args;
  }
}

/** A tuple of Python's, which is told from a list. */
export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A reference to something outside of the pickle: in a checkpoint, to a storage. */
export class PersistentReference {
  readonly id: PickleValue;

  constructor(id: PickleValue) {
    this.id = id;
  }
}

/** A Python dict of any kind. A JavaScript Map has no prototype chain for keys such as `__proto__` to reach. */
export type PickleDict = Map<PickleValue, PickleValue>;

/** What a pickle holds, as inert data. Lists and dicts may be shared, and may contain themselves. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | Set<PickleValue>
  | PickleGlobal
  | PickleCall
  | PersistentReference;

/** Shown of a number: integers of a pickle have up to 614 digits. */
const MAX_DIGITS = 24;

/** What a value is, in Python's words, for messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a bool';
  if (typeof value === 'number' || typeof value === 'bigint')
    return `the number ${value.toString().slice(0, MAX_DIGITS)}`;
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof PickleTuple) return 'a tuple';
  if (value instanceof PickleGlobal) return `the name ${value.path}`;
  if (value instanceof PickleCall) return `an object made by ${value.callee.path}`;
  if (value instanceof PersistentReference) return 'a storage';
  return 'a byte string';
}
