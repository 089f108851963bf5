import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ByteFile } from '../checkpoints/byte-file.ts';
import { CheckpointError, quoted, shownName } from '../checkpoints/errors.ts';
import type { ProtobufField } from './protobuf-reader.ts';
import { FieldBudget, packedNumbers, protobufFields } from './protobuf-reader.ts';

/** Fields of the messages of onnx.proto. */
const GRAPH = 7;
const INITIALIZER = 5;
const RAW_DATA = 9;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
/** All kinds of data that a tensor may have. */
const DATA: ReadonlySet<number> = new Set([4, 5, 6, 7, RAW_DATA, 10, 11, EXTERNAL_DATA, DATA_LOCATION]);
/** TensorProto.DataType to the bytes of an element. */
const ELEMENT_BYTES: ReadonlyMap<number, number> = new Map([
  ...[2, 3, 9].map((code) => [code, 1] as const),
  ...[4, 5, 10, 16].map((code) => [code, 2] as const),
  ...[1, 6, 12].map((code) => [code, 4] as const),
  ...[7, 11, 13].map((code) => [code, 8] as const),
]);

/**
 * A model whose weights lie in files beside it, as torch.onnx and onnx.save_model write large ones, as one that holds them itself: the
 * runtime gets no name of a file. Weights of the main graph only; what else lies elsewhere stays as it is, and is refused by who walks through it.
 * @param model the same Buffer is returned where nothing lies elsewhere
 * @param file where the model lies; only plain names of files in its own folder are read
 * @param mostBytes that the whole may have
 * @throws CheckpointError
 */
export function withDataBeside(model: Buffer, file: string, mostBytes: number): Buffer {
  const budget = new FieldBudget();
  const data = new DataBeside(file, mostBytes - model.length);
  const graphWithData = (graph: Buffer): Parts =>
    changed(graph, budget, INITIALIZER, (tensor) => tensorWithData(tensor, budget, data));
  const parts = changed(model, budget, GRAPH, graphWithData);
  return parts ? Buffer.concat(parts) : model;
}

/** What a message becomes; undefined: it stays as it is. */
type Parts = readonly Buffer[] | undefined;

/** A message with other contents in its fields of a number. */
function changed(message: Buffer, budget: FieldBudget, number: number, change: (field: Buffer) => Parts): Parts {
  const parts: Buffer[] = [];
  let unchangedFrom = 0;
  for (const field of protobufFields(message, budget)) {
    const made = field.number === number ? change(field.bytes) : undefined;
    if (!made) continue;
    const length = made.reduce((sum, part) => sum + part.length, 0);
    parts.push(message.subarray(unchangedFrom, field.start), headOf(number, length), ...made);
    unchangedFrom = field.end;
  }
  return parts.length > 0 ? [...parts, message.subarray(unchangedFrom)] : undefined;
}

/** The key and the length of a field of bytes. */
function headOf(number: number, length: number): Buffer {
  return Buffer.from([number * 8 + 2, ...varint(length)]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function tensorWithData(tensor: Buffer, budget: FieldBudget, data: DataBeside): Parts {
  const fields = [...protobufFields(tensor, budget)];
  if (!fields.some(({ number, value }) => number === DATA_LOCATION && value === 1)) return undefined;
  const last = (number: number): ProtobufField | undefined => fields.findLast((field) => field.number === number);
  const name = last(8)?.bytes.toString('utf8') ?? '';
  const dims = fields
    .filter(({ number }) => number === 1)
    .flatMap(({ value, bytes }) => (bytes.length > 0 ? packedNumbers(bytes, budget) : [value]));
  const size = dims.reduce((product, dim) => product * dim, ELEMENT_BYTES.get(last(2)?.value ?? 0) ?? NaN);
  if (!Number.isSafeInteger(size) || dims.some((dim) => dim < 0)) {
    throw new CheckpointError('unsupported', `the tensor ${shownName(name)} is of a kind or shape that no weight has`);
  }
  const entries = fields.filter(({ number }) => number === EXTERNAL_DATA);
  const bytes = data.read(shownName(name), size, new Map(entries.map((entry) => pairOf(entry.bytes, budget))));
  const kept = fields.filter(({ number }) => !DATA.has(number)).map(({ start, end }) => tensor.subarray(start, end));
  return [...kept, headOf(RAW_DATA, bytes.length), bytes];
}

/** A StringStringEntryProto. */
function pairOf(entry: Buffer, budget: FieldBudget): readonly [key: string, value: string] {
  const fields = [...protobufFields(entry, budget)];
  const text = (number: number): string =>
    fields.findLast((field) => field.number === number)?.bytes.toString('utf8') ?? '';
  return [text(1), text(2)];
}

/** A name in the model's own folder: no path, nothing hidden, nothing that a system reads otherwise. */
const PLAIN_NAME = /^(?!\.)[^/\\:\p{Cc}]{1,255}$/u;

/** The files beside a model, as far as it may read them. */
class DataBeside {
  readonly #file: string;
  readonly #paths = new Map<string, string>();
  #bytesLeft: number;

  constructor(file: string, bytesLeft: number) {
    this.#file = file;
    this.#bytesLeft = bytesLeft;
  }

  /**
   * The elements of a tensor.
   * @param size in bytes, as its shape has it
   * @param entries `location`, `offset`, `length`, as its file has them
   */
  read(tensor: string, size: number, entries: ReadonlyMap<string, string>): Buffer {
    const [offset, length] = [numberOf(entries.get('offset') ?? '0'), numberOf(entries.get('length') ?? `${size}`)];
    if (offset === undefined || length !== size) {
      const said = quoted(`${entries.get('length') ?? ''} at ${entries.get('offset') ?? 0}`);
      throw new CheckpointError('out-of-bounds', `the tensor ${tensor} has ${size} bytes; its file says ${said}`);
    }
    this.#bytesLeft -= size; // each tensor's own, though several name the same bytes
    if (this.#bytesLeft < 0) throw new CheckpointError('too-large', 'its weights take more than any ONNX model has');
    const location = entries.get('location') ?? '';
    try {
      return ByteFile.with(this.#pathOf(location), (file) => file.read(offset, size));
    } catch (error) {
      const reason =
        error instanceof CheckpointError ? error.message : 'it is not there: put both files into one folder';
      const kind = error instanceof CheckpointError ? error.kind : 'not-a-checkpoint';
      throw new CheckpointError(kind, `the tensor ${tensor} lies in ${quoted(location)}: ${reason}`, { cause: error });
    }
  }

  /** @throws CheckpointError, and what the system says of a file that is not there */
  #pathOf(location: string): string {
    const known = this.#paths.get(location);
    if (known !== undefined) return known;
    const folder = dirname(this.#file);
    if (!PLAIN_NAME.test(location)) throw new CheckpointError('unsupported', NO_OTHER);
    const path = realpathSync(join(folder, location));
    // Caches of model hubs have links to both files, which lie in one folder elsewhere.
    const folders = [realpathSync(folder), dirname(realpathSync(this.#file))];
    if (!folders.includes(dirname(path))) throw new CheckpointError('unsupported', `it is a link; ${NO_OTHER}`);
    this.#paths.set(location, path);
    return path;
  }
}

const NO_OTHER = "weights are read from files of the model's own folder only, under their plain names";

/** A whole number that is not negative. */
function numberOf(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
