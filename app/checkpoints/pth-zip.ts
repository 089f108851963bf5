import { ByteCursor } from './byte-cursor.ts';
import type { ByteFile } from './byte-file.ts';
import { CheckpointError, quoted, shownFile } from './errors.ts';
import { unpickle } from './pickle/pickle.ts';
import type { Checksum } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import type { PickledCheckpoint, StorageTable } from './pickle/tensors-from-pickle.ts';
import { resolveTorchGlobal } from './pickle/torch-globals.ts';
import type { ZipEntry } from './zip/zip-directory.ts';
import { readZipDirectory } from './zip/zip-directory.ts';
import { locateMember, readMember } from './zip/zip-member.ts';

const PICKLE = 'data.pkl';
/** The weights are not in the pickle: 2,116 tensors take 300 KB. */
const MAX_PICKLE_BYTES = 32 << 20;

/**
 * The layout of torch >= 1.6: a zip archive with `ROOT/data.pkl`, one stored member `ROOT/data/KEY` per storage, and
 * `ROOT/byteorder` since torch 2.1. Reads the directory, the pickle and, when asked for a storage, its header.
 * @throws CheckpointError
 */
export function readPthZip(file: ByteFile): PickledCheckpoint {
  const entries = readZipDirectory(file);
  const { root, entry } = findPickle(entries);
  const pickle = readMember(file, entry, MAX_PICKLE_BYTES);
  const cursor = new ByteCursor((offset, length) => pickle.subarray(offset, offset + length), 0, pickle.length);
  return { tree: unpickle(cursor, resolveTorchGlobal).value, storages: storageTable(file, entries, root) };
}

/** The one `data.pkl` in a folder at the top; the folder is named after the file that was first saved, or `archive`. */
function findPickle(entries: ReadonlyMap<string, ZipEntry>): { root: string; entry: ZipEntry } {
  const found = [...entries.values()].filter(({ name }) => name.endsWith(`/${PICKLE}`) && name.split('/').length === 2);
  const [entry] = found;
  if (entry === undefined) {
    throw new CheckpointError('not-a-checkpoint', `a zip archive ${contents([...entries.keys()])}`);
  }
  if (found.length > 1) throw new CheckpointError('bad-zip', `the archive holds ${found.length} files named ${PICKLE}`);
  const root = entry.name.slice(0, -PICKLE.length);
  if (entries.has(`${root}constants.pkl`) || [...entries.keys()].some((name) => name.startsWith(`${root}code/`))) {
    throw new CheckpointError(
      'torchscript',
      'a TorchScript program (torch.jit.save), which is code. Save its weights instead: torch.save(model.state_dict(), ...)',
    );
  }
  return { root, entry };
}

/** A program among the members of an archive of torch.export, as it is written since torch 2.8, and before. */
const EXPORTED = /(^|\/)(models\/[^/]+|serialized_exported_program)\.json$/;

/** What an archive that torch did not write is, by the names in it, and what to do with it. */
function contents(names: readonly string[]): string {
  if (names.some((name) => EXPORTED.test(name))) {
    return 'of torch.export (.pt2), which is a program: save its weights instead, torch.save(model.state_dict(), ...)';
  }
  const model = names.find((name) => /(^|\/)(?!\._)[^/]+\.(pth|safetensors|sft|ckpt|pt)$/i.test(name));
  if (model !== undefined) return `that holds ${shownFile(model)}: unpack it, and take that file`;
  if (names.some((name) => /\.(param|onnx|engine|mlmodel)$/i.test(name))) {
    return 'that holds a model of another format (ncnn, ONNX ...): take the PyTorch file that it was made of';
  }
  if (names.some((name) => name.endsWith('.npy'))) return 'of NumPy (.npz): save the weights with torch.save';
  return `without ${PICKLE}: not written by torch.save`;
}

function storageTable(file: ByteFile, entries: ReadonlyMap<string, ZipEntry>, root: string): StorageTable {
  const offsets = new Map<string, number>();
  const checksums: Checksum[] = [];
  return {
    checksums,
    isBigEndian: readByteOrder(file, entries.get(`${root}byteorder`)) === 'big',
    locate({ key, dtype, length }) {
      const entry = entries.get(`${root}data/${key}`);
      if (entry === undefined) throw new CheckpointError('missing-storage', `the archive lacks storage ${quoted(key)}`);
      if (entry.size !== length * DTYPE_BYTES[dtype]) {
        throw new CheckpointError(
          'out-of-bounds',
          `storage ${quoted(key)} should hold ${length} elements of ${dtype}, its member has ${entry.size} bytes`,
        );
      }
      const known = offsets.get(key);
      if (known !== undefined) return known;
      const offset = locateMember(file, entry);
      offsets.set(key, offset);
      const { name, size, crc32 } = entry;
      // torch.serialization.set_crc32_options(False) leaves all of them at 0.
      if (crc32 !== 0) checksums.push({ name, offset, length: size, crc32 });
      return offset;
    },
  };
}

function readByteOrder(file: ByteFile, entry: ZipEntry | undefined): string {
  if (entry === undefined) return 'little';
  const order = readMember(file, entry, 64).toString('latin1');
  if (order === 'little' || order === 'big') return order;
  throw new CheckpointError('bad-zip', `expected byteorder to be 'little' or 'big', got ${quoted(order)}`);
}
