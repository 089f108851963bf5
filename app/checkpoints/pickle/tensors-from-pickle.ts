import { CheckpointError } from '../errors.ts';
import type { PickleValue } from './pickle-values.ts';
import { kindOf, PersistentReference, PickleCall, PickleGlobal, PickleTuple } from './pickle-values.ts';
import type { Checksum, DType, TensorInfo } from '../state-dict.ts';
import { DTYPE_BYTES } from '../state-dict.ts';
import { checkedCount, isContiguous, lastElement } from '../tensor-layout.ts';
import { dtypeOfStorage } from './torch-globals.ts';

/** What a pickle says about a storage. Lengths and offsets are in elements, and not yet compared with the file. */
export interface StorageReference {
  readonly key: string;
  readonly dtype: DType;
  readonly length: number;
  /** Element 0 of the view that this reference stands for (torch < 0.4), else 0. */
  readonly viewOffset: number;
  readonly viewLength: number;
}

/** Where the storages of a file lie. */
export interface StorageTable {
  readonly isBigEndian: boolean;
  /** File offset of the storage's first byte, after checking that all of it is in the file. */
  locate(storage: StorageReference): number;
  /** Of the storages that were located so far. */
  readonly checksums: readonly Checksum[];
}

/** A tree of pickled values, and the storages that its tensors refer to. */
export interface PickledCheckpoint {
  readonly tree: PickleValue;
  readonly storages: StorageTable;
}

/**
 * The tensor that a pickled value stands for, or `undefined` where it is something else.
 * @throws CheckpointError where a shape, stride or offset reaches beyond the storage, or the storage beyond the file.
 */
export function tensorFromPickle(value: PickleValue, storages: StorageTable): TensorInfo | undefined {
  let call = value;
  // nn.Parameter(tensor): saved as such when somebody pickled parameters and not their state dict.
  while (call instanceof PickleCall && PARAMETER_BUILDERS.has(call.callee.path)) call = call.args[0] ?? null;
  if (!(call instanceof PickleCall)) {
    if (call !== value) throw badTensor(`a parameter is made of ${kindOf(call)}`);
    return undefined;
  }
  if (call.callee.path === UNTYPED_BUILDER) {
    throw new CheckpointError(
      'unsupported-dtype',
      'it holds a tensor of a type without a storage class (uint16, float8 ...)',
    );
  }
  return TENSOR_BUILDERS.has(call.callee.path) ? rebuildTensor(call.args, storages) : undefined;
}

/** How many dimensions the tensor has that a pickled value stands for, unchecked; `undefined` where it is something else. */
export function pickledRank(value: PickleValue): number | undefined {
  let call = value;
  while (call instanceof PickleCall && PARAMETER_BUILDERS.has(call.callee.path)) call = call.args[0] ?? null;
  if (!(call instanceof PickleCall) || !isTensorBuilder(call.callee.path)) return undefined;
  const size = call.args[2] ?? null;
  const tuple = size instanceof PickleCall ? size.args[0] : size;
  return tuple instanceof PickleTuple ? tuple.items.length : 0;
}

function isTensorBuilder(path: string): boolean {
  return TENSOR_BUILDERS.has(path) || path === UNTYPED_BUILDER;
}

/** Of a tensor whose element type has no storage class of its own. */
const UNTYPED_BUILDER = 'torch._utils._rebuild_tensor_v3';

const PARAMETER_BUILDERS: ReadonlySet<string> = new Set([
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
]);

const TENSOR_BUILDERS: ReadonlySet<string> = new Set([
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
]);

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`; v1 has the first four only. */
function rebuildTensor(args: readonly PickleValue[], storages: StorageTable): TensorInfo {
  const [reference, first = null, size = null, stride = null] = args;
  if (!(reference instanceof PersistentReference)) throw badTensor('a tensor without a storage');
  const storage = parseStorageReference(reference);
  const offset = checkedCount(first, 'storage offset');
  const shape = integers(size, 'size');
  const strides = integers(stride, 'stride');
  if (shape.length !== strides.length) {
    throw new CheckpointError('out-of-bounds', `a tensor of ${shape.length} dimensions has ${strides.length} strides`);
  }
  const last = lastElement(shape, strides);
  const needed = offset + last + 1;
  if (needed > storage.viewLength) {
    throw new CheckpointError(
      'out-of-bounds',
      `a tensor of shape [${shape.join(', ')}] needs ${needed} elements, its storage holds ${storage.viewLength}`,
    );
  }
  const bytes = DTYPE_BYTES[storage.dtype];
  const isBigEndian = storages.isBigEndian && bytes > 1;
  return {
    shape,
    strides,
    dtype: storage.dtype,
    offset: storages.locate(storage) + (storage.viewOffset + offset) * bytes,
    isContiguous: !isBigEndian && isContiguous(shape, strides),
    isBigEndian,
  };
}

/**
 * Reads `('storage', class, key, location, length[, view])`; the view is None or `(view key, offset, length)`.
 * @throws CheckpointError where it is anything else.
 */
export function parseStorageReference(reference: PersistentReference): StorageReference {
  const id = reference.id instanceof PickleTuple ? reference.id.items : [];
  const [tag, storageClass, key, , count = null, view = null] = id;
  if (tag !== 'storage' || !(storageClass instanceof PickleGlobal) || typeof key !== 'string') {
    throw badTensor('a reference to something other than a storage');
  }
  const dtype = dtypeOfStorage(storageClass);
  const length = checkedCount(count, 'storage length');
  if (!(view instanceof PickleTuple)) return { key, dtype, length, viewOffset: 0, viewLength: length };
  const viewOffset = checkedCount(view.items[1] ?? null, 'view offset');
  const viewLength = checkedCount(view.items[2] ?? null, 'view length');
  if (viewOffset + viewLength > length) {
    throw new CheckpointError('out-of-bounds', `a view ends at ${viewOffset + viewLength} of a storage of ${length}`);
  }
  return { key, dtype, length, viewOffset, viewLength };
}

/** A `torch.Size` is a tuple as well, and pickled as one or as a call with one. */
function integers(value: PickleValue, what: string): number[] {
  const tuple = value instanceof PickleCall && value.callee.path === 'torch.Size' ? value.args[0] : value;
  if (!(tuple instanceof PickleTuple)) throw badTensor(`a tensor whose ${what} is ${kindOf(value)}`);
  return tuple.items.map((item) => checkedCount(item, what));
}

function badTensor(detail: string): CheckpointError {
  return new CheckpointError('bad-pickle', `broken pickle: ${detail}`);
}
