import type { ByteCursor } from '../byte-cursor.ts';
import { CheckpointError } from '../errors.ts';
import type { PickleBudget } from './pickle-budget.ts';
import type { PickleValue } from './pickle-values.ts';
import { kindOf, PersistentReference, PickleCall, PickleGlobal, PickleTuple } from './pickle-values.ts';

/** Turns a name into an inert value, or refuses it by throwing. */
export type ResolveGlobal = (module: string, name: string) => PickleGlobal;

/** Far above any honest checkpoint (702 tensors: 20,000 operations), low enough that a hostile one is refused in time. */
const MAX_STACK = 1_000_000;
const MAX_MEMO = 1_000_000;
const MAX_MARKS = 100;
/** An array of NumPy beside the weights is one string; all together take what the budget has. */
const MAX_STRING_BYTES = 16 << 20;
const MAX_NAME_BYTES = 256;

/** Dicts under these names differ from plain ones only in behaviour, which nothing here has. */
const DICT_CLASSES: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'collections.defaultdict',
]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The stack, marks and memo of the pickle virtual machine; the operations on them that the opcodes are made of. */
export class PickleMachine {
  readonly input: ByteCursor;
  /** Every reference to a storage so far, in order. */
  readonly references: PersistentReference[] = [];
  readonly #resolveGlobal: ResolveGlobal;
  readonly #budget: PickleBudget;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  /** A Map, not an array: the index comes from the file. */
  readonly #memo = new Map<number, PickleValue>();
  #isDone = false;

  constructor(input: ByteCursor, resolveGlobal: ResolveGlobal, budget: PickleBudget) {
    this.input = input;
    this.#resolveGlobal = resolveGlobal;
    this.#budget = budget;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** The value that the pickle stands for, once it is done. */
  get result(): PickleValue {
    return this.top();
  }

  stop(): void {
    if (this.#marks.length > 0) throw bad('ended inside an unfinished list or dict');
    this.top();
    this.#isDone = true;
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= MAX_STACK) throw tooLarge(`more than ${MAX_STACK} values on the stack`);
    this.#stack.push(value);
  }

  /** Pushes a value that takes memory of its own. */
  pushObject(value: PickleValue): void {
    this.#budget.spendObject();
    this.push(value);
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length === this.#marks.at(-1)) throw bad('the stack is empty');
    return value;
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_MARKS) {
      throw new CheckpointError('too-deep', `the pickle nests more than ${MAX_MARKS} levels deep`);
    }
    this.#marks.push(this.#stack.length);
  }

  /** Everything above the last mark, which is taken off as well. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw bad('a mark is missing');
    return this.#stack.splice(mark);
  }

  pushTuple(length: number): void {
    const items = new Array<PickleValue>(length);
    for (let i = length - 1; i >= 0; i--) items[i] = this.pop();
    this.pushObject(new PickleTuple(items));
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw bad(`cannot append to ${kindOf(list)}`);
    for (const value of values) list.push(value);
  }

  addToSet(values: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw bad(`cannot add to ${kindOf(set)}`);
    for (const value of values) set.add(hashable(value));
  }

  pushSet(values: readonly PickleValue[]): void {
    this.pushObject(new Set());
    this.addToSet(values);
  }

  /** Sets alternating keys and values. */
  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw bad(`cannot set items of ${kindOf(dict)}`);
    fillDict(dict, items);
  }

  memoize(index = this.#memo.size): void {
    if (this.#memo.size >= MAX_MEMO) throw tooLarge(`more than ${MAX_MEMO} memorised values`);
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw bad(`nothing was memorised under ${index}`);
    this.push(value);
  }

  /** A length that the file gives for a string. */
  pushString(length: number): void {
    const bytes = this.stringBytes(length);
    try {
      this.push(utf8.decode(bytes));
    } catch (cause) {
      throw new CheckpointError('bad-pickle', 'a string is not UTF-8', { cause });
    }
  }

  stringBytes(length: number): Buffer {
    if (length > MAX_STRING_BYTES) throw tooLarge(`a string of ${length} bytes`);
    return this.input.bytes(length);
  }

  readName(): string {
    const name = this.input.line(MAX_NAME_BYTES);
    if (name === undefined) throw bad('a class name does not end');
    return name;
  }

  pushGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw bad('a class name that is not text');
    this.pushObject(this.#resolveGlobal(module, name));
  }

  pushReference(): void {
    const reference = new PersistentReference(this.pop());
    this.references.push(reference);
    this.pushObject(reference);
  }

  /** Replaces a callee and its arguments by the record of a call; a dict class becomes a dict. */
  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal)) throw bad(`${kindOf(callee)} is called as if it were a class`);
    if (!(args instanceof PickleTuple)) throw bad(`${callee.path} is called with ${kindOf(args)} for arguments`);
    this.pushObject(
      DICT_CLASSES.has(callee.path) ? dictOf(args.items, this.#budget) : new PickleCall(callee, args.items),
    );
  }

  /** Attributes (`OrderedDict._metadata`, an array's contents): nothing here needs them. */
  dropState(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof Map || target instanceof PickleCall))
      throw bad(`cannot set attributes of ${kindOf(target)}`);
  }
}

function bad(detail: string): CheckpointError {
  return new CheckpointError('bad-pickle', detail);
}

function tooLarge(detail: string): CheckpointError {
  return new CheckpointError('too-large', `the pickle holds ${detail}, which no model needs`);
}

function hashable(key: PickleValue): PickleValue {
  if (Array.isArray(key) || key instanceof Map || key instanceof Set) throw bad(`${kindOf(key)} cannot be a key`);
  return key;
}

function fillDict(dict: Map<PickleValue, PickleValue>, items: readonly PickleValue[]): void {
  if (items.length % 2 !== 0) throw bad('a key without a value');
  for (let i = 0; i < items.length; i += 2) dict.set(hashable(items[i] ?? null), items[i + 1] ?? null);
}

/** Python 2 wrote an OrderedDict as a list of pairs; a Counter comes as a dict, a defaultdict with its factory. */
function dictOf(args: readonly PickleValue[], budget: PickleBudget): Map<PickleValue, PickleValue> {
  const dict = new Map<PickleValue, PickleValue>();
  const contents = args[0];
  if (contents instanceof Map) budget.spendCopies(contents.size);
  if (contents instanceof Map) for (const [key, value] of contents) dict.set(key, value);
  if (!Array.isArray(contents)) return dict;
  budget.spendCopies(contents.length);
  for (const pair of contents) {
    const items = pair instanceof PickleTuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2) throw bad('an OrderedDict is made of something other than pairs');
    fillDict(dict, items);
  }
  return dict;
}
