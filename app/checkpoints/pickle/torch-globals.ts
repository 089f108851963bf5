import { CheckpointError } from '../errors.ts';
import { PickleGlobal } from './pickle-values.ts';
import type { DType } from '../state-dict.ts';

/** The typed storage classes of `torch`, and what their elements are. */
const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

const BUILTINS = 'dict list set frozenset tuple int float bool complex str bytes bytearray slice range xrange';
const NUMPY_ARRAYS = 'scalar _reconstruct';
/** Protocol 5 writes most arrays by it. */
const NUMPY_BUFFERS = '_frombuffer';
const PATHS = 'Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath';
const NUMPY_DTYPES =
  'BoolDType Float16DType Float32DType Float64DType Int32DType Int64DType UInt8DType StrDType ObjectDType';
const TORCH_DTYPES =
  'float64 double float32 float float16 half bfloat16 int64 long int32 int int16 short int8 uint8 bool';

/** Every name that a pickle may mention. Most stand beside the weights in training states, and are passed over. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...STORAGE_DTYPES.keys(),
  ...under('torch', 'Size device Tensor'),
  ...under('torch', TORCH_DTYPES),
  ...under('torch._utils', '_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3'),
  ...under('torch._utils', '_rebuild_parameter _rebuild_parameter_with_state'),
  ...under('torch.nn.parameter', 'Parameter'),
  ...under('torch.storage', 'TypedStorage UntypedStorage _TypedStorage _UntypedStorage'),
  ...under('collections', 'OrderedDict defaultdict Counter'),
  ...under('argparse', 'Namespace'),
  ...under('_codecs', 'encode'),
  ...under('datetime', 'date datetime time timedelta timezone'),
  ...under('pathlib', PATHS),
  ...under('pathlib._local', PATHS),
  ...under('builtins', BUILTINS),
  ...under('__builtin__', BUILTINS),
  ...under('numpy', 'dtype ndarray'),
  ...under('numpy.core.multiarray', NUMPY_ARRAYS),
  ...under('numpy._core.multiarray', NUMPY_ARRAYS),
  ...under('numpy.core.numeric', NUMPY_BUFFERS),
  ...under('numpy._core.numeric', NUMPY_BUFFERS),
  ...under('numpy.dtypes', NUMPY_DTYPES),
]);

/** Element types that torch has and no network here. */
const OTHER_DTYPES = /^(float8_\w+|float4_\w+|uint(16|32|64)|complex\d+|c?q?u?int\d+(x\d+)?|bits\w+)$/;

/** One for each name, however often a pickle repeats it. */
const KNOWN = new Map<string, PickleGlobal>();

function under(module: string, names: string): string[] {
  return names.split(' ').map((name) => `${module}.${name}`);
}

/**
 * The inert value for a name in a checkpoint's pickle.
 * @throws CheckpointError `forbidden-global` for every name that is not on the list, used or not.
 */
export function resolveTorchGlobal(module: string, name: string): PickleGlobal {
  const global = KNOWN.get(`${module}.${name}`) ?? new PickleGlobal(module, name);
  // A name with a dot could spell an allowed path through another module.
  if (!name.includes('.') && ALLOWED.has(global.path)) {
    KNOWN.set(global.path, global);
    return global;
  }
  if (module === 'torch._utils' && name.startsWith('_rebuild_meta_')) {
    throw new CheckpointError(
      'unsupported',
      'it holds tensors without numbers (of the device meta): save the loaded model',
    );
  }
  if (module === 'torch._utils' && name.startsWith('_rebuild_')) {
    throw new CheckpointError(
      'unsupported',
      `it holds a sparse, quantised or nested tensor (${name}), which no network here uses`,
    );
  }
  if (module === 'torch' && (name.endsWith('Storage') || OTHER_DTYPES.test(name))) throw unsupportedDtype(name);
  if (module.startsWith('torch.nn.modules.') || /(^|[._])(archs?|models?|networks?)([._]|$)/.test(module)) {
    throw new CheckpointError(
      'forbidden-global',
      `a whole network was pickled (${printable(global.path)}), which is code, and not its weights. Nothing was run. ` +
        'Save these: torch.save(model.state_dict(), ...), or as .safetensors',
    );
  }
  throw new CheckpointError(
    'forbidden-global',
    `its pickle refers to ${printable(global.path)}, which is not part of a plain state dict. Nothing was run. ` +
      'Use a file that holds weights only, saved by torch.save(model.state_dict()) or as .safetensors',
  );
}

/**
 * The element type of a storage class.
 * @throws CheckpointError `unsupported-dtype` for untyped storages and element types that no network here has.
 */
export function dtypeOfStorage(storageClass: PickleGlobal): DType {
  const dtype = STORAGE_DTYPES.get(storageClass.path);
  if (dtype === undefined) throw unsupportedDtype(storageClass.name);
  return dtype;
}

function unsupportedDtype(storageClass: string): CheckpointError {
  const known = [...STORAGE_DTYPES.values()].join(', ');
  return new CheckpointError(
    'unsupported-dtype',
    `it holds a tensor over ${printable(storageClass)}; read are ${known}`,
  );
}

function printable(path: string): string {
  return path.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 120);
}
