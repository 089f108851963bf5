import { ByteCursor } from './byte-cursor.ts';
import type { ByteFile } from './byte-file.ts';
import { CheckpointError, quoted } from './errors.ts';
import { PickleBudget } from './pickle/pickle-budget.ts';
import { unpickle } from './pickle/pickle.ts';
import type { PersistentReference, PickleValue } from './pickle/pickle-values.ts';
import { kindOf } from './pickle/pickle-values.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import type { PickledCheckpoint, StorageReference, StorageTable } from './pickle/tensors-from-pickle.ts';
import { parseStorageReference } from './pickle/tensors-from-pickle.ts';
import { resolveTorchGlobal } from './pickle/torch-globals.ts';

/** torch/serialization.py: the first two pickles of every file. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Each costs a read. */
const MAX_STORAGES = 200_000;

/**
 * The layout before torch 1.6: five pickles (magic number, protocol, machine, object, storage keys), then every storage as a
 * count of elements (int64) and little-endian data, in the order of the keys. Reads the pickles and the counts.
 * @throws CheckpointError
 */
export function readPthLegacy(file: ByteFile): PickledCheckpoint {
  const cursor = new ByteCursor((offset, length) => file.read(offset, length), 0, file.size);
  const budget = new PickleBudget();
  const read = () => unpickle(cursor, resolveTorchGlobal, budget);
  const magic = read().value;
  if (magic !== MAGIC) {
    throw new CheckpointError('not-a-checkpoint', `a Python pickle of ${kindOf(magic)}, not written by torch.save`);
  }
  const protocol = read().value;
  if (protocol !== PROTOCOL) {
    throw new CheckpointError(
      'unsupported-format',
      `expected layout ${PROTOCOL} of torch.save, got ${kindOf(protocol)}`,
    );
  }
  read(); // The machine it was saved on: the data is little-endian whatever it says.
  const { value: tree, references } = read();
  const keys = read().value;
  return { tree, storages: storageTable(locateStorages(file, cursor.position, keyList(keys, references))) };
}

interface Place {
  readonly offset: number;
  readonly bytes: number;
}

function storageTable(places: ReadonlyMap<string, Place>): StorageTable {
  return {
    isBigEndian: false,
    checksums: [],
    locate({ key, dtype, length }) {
      const place = places.get(key);
      if (place === undefined) throw new CheckpointError('missing-storage', `the file lacks storage ${quoted(key)}`);
      if (place.bytes !== length * DTYPE_BYTES[dtype]) {
        throw new CheckpointError('out-of-bounds', `storage ${quoted(key)} is given two different lengths`);
      }
      return place.offset;
    },
  };
}

/** The storages in the order of the file. Only the object's pickle says how many bytes an element of each takes. */
function keyList(keys: PickleValue, references: readonly PersistentReference[]): StorageReference[] {
  if (!Array.isArray(keys))
    throw new CheckpointError('bad-pickle', `expected a list of storage keys, got ${kindOf(keys)}`);
  if (keys.length > MAX_STORAGES) throw new CheckpointError('too-large', `it has ${keys.length} storages`);
  const byKey = new Map<PickleValue, StorageReference>();
  for (const reference of references.map(parseStorageReference)) byKey.set(reference.key, reference);
  return keys.map((key) => {
    const reference = byKey.get(key);
    if (reference === undefined) {
      throw new CheckpointError(
        'missing-storage',
        'a storage of the file belongs to no tensor, so that its size is not known',
      );
    }
    // Twice the same key would be two storages of one name.
    byKey.delete(key);
    return reference;
  });
}

function locateStorages(file: ByteFile, start: number, storages: readonly StorageReference[]): Map<string, Place> {
  const places = new Map<string, Place>();
  let offset = start;
  for (const { key, dtype, length } of storages) {
    const count = file.read(offset, 8).readBigInt64LE(0);
    if (count !== BigInt(length)) {
      throw new CheckpointError(
        'out-of-bounds',
        `storage ${quoted(key)} should hold ${length} elements, the file counts ${count.toString()}`,
      );
    }
    const bytes = length * DTYPE_BYTES[dtype];
    offset += 8;
    if (offset + bytes > file.size) {
      throw new CheckpointError(
        'truncated',
        `storage ${quoted(key)} ends at byte ${offset + bytes}, the file at ${file.size}: download it again`,
      );
    }
    places.set(key, { offset, bytes });
    offset += bytes;
  }
  return places;
}
