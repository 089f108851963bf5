import { ByteFile } from './byte-file.ts';
import { CheckpointError, quoted } from './errors.ts';
import { JsonScanner } from './json-scanner.ts';
import type { DType, TensorInfo } from './state-dict.ts';
import { DTYPE_BYTES } from './state-dict.ts';
import { checkedCount, contiguousStrides, elementCount } from './tensor-layout.ts';

/** Element types by their name in a header; the writer derives the other direction. */
export const SAFETENSORS_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

const LENGTH_BYTES = 8;
/** 50,000 tensors take 5 MB. */
const MAX_HEADER_BYTES = 25 << 20;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What the header of a `.safetensors` tells. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The texts that it carries beside the tensors. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The tensors of a `.safetensors` file in the order of its header, and its texts: a length (uint64), a JSON header, then the data, which the
 * tensors have to cover without gap or overlap (github.com/huggingface/safetensors, "Format").
 * @throws CheckpointError
 */
export function readSafetensors(file: ByteFile): SafetensorsFile {
  const { text, end: dataStart } = readHeader(file);
  const { entries, metadata } = parseHeader(text);
  checkCoverage(entries, file.size - dataStart);
  const tensors = new Map(
    entries.map(({ name, dtype, shape, begin }) => [
      name,
      {
        shape,
        dtype,
        offset: dataStart + begin,
        strides: contiguousStrides(shape),
        isContiguous: true,
        isBigEndian: false,
      },
    ]),
  );
  return { tensors, metadata };
}

/**
 * The texts that the header carries beside the tensors.
 * @throws CheckpointError
 */
export function readSafetensorsMetadata(path: string): ReadonlyMap<string, string> {
  return ByteFile.with(path, (file) => parseHeader(readHeader(file).text).metadata);
}

/** The header, and where the data begins. */
function readHeader(file: ByteFile): { readonly text: string; readonly end: number } {
  const length = file.read(0, LENGTH_BYTES).readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES) || length > BigInt(file.size - LENGTH_BYTES)) {
    throw new CheckpointError(
      'bad-header',
      `a safetensors header of ${length.toString()} bytes in a file of ${file.size}: download it again`,
    );
  }
  return { text: decodeHeader(file.read(LENGTH_BYTES, Number(length))), end: LENGTH_BYTES + Number(length) };
}

function decodeHeader(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new CheckpointError('bad-header', 'the safetensors header is not UTF-8', { cause });
  }
}

interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

function parseHeader(text: string): Header {
  const scanner = new JsonScanner(text);
  const entries: HeaderEntry[] = [];
  const metadata = new Map<string, string>();
  scanner.object((name) => {
    if (name === '__metadata__') scanner.object((key) => void metadata.set(key, scanner.string()));
    else entries.push(parseEntry(scanner, name));
  });
  scanner.end();
  return { entries, metadata };
}

function parseEntry(scanner: JsonScanner, name: string): HeaderEntry {
  let dtypeName: string | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  scanner.object((field) => {
    if (field === 'dtype') dtypeName = scanner.string();
    else if (field === 'shape') shape = scanner.array(() => checkedCount(scanner.number(), 'size'));
    else if (field === 'data_offsets') range = scanner.array(() => checkedCount(scanner.number(), 'data offset'));
    else throw new CheckpointError('bad-header', `broken header: tensor ${quoted(name)} has a field ${quoted(field)}`);
  });
  if (dtypeName === undefined || shape === undefined || range?.length !== 2) {
    throw new CheckpointError('bad-header', `broken header: tensor ${quoted(name)} lacks dtype, shape or data_offsets`);
  }
  const dtype = SAFETENSORS_DTYPES.get(dtypeName);
  if (dtype === undefined) {
    const known = [...SAFETENSORS_DTYPES.keys()].join(', ');
    throw new CheckpointError(
      'unsupported-dtype',
      `tensor ${quoted(name)} is of type ${quoted(dtypeName)}; read are ${known}`,
    );
  }
  const [begin = 0, end = 0] = range;
  if (end - begin !== elementCount(shape) * DTYPE_BYTES[dtype]) {
    throw new CheckpointError(
      'bad-header',
      `broken header: tensor ${quoted(name)} of shape [${shape.join(', ')}] is given ${end - begin} bytes`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function checkCoverage(entries: readonly HeaderEntry[], dataBytes: number): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of sorted) {
    if (begin !== at)
      throw new CheckpointError('bad-header', `broken header: a gap or overlap before tensor ${quoted(name)}`);
    at = end;
  }
  if (at > dataBytes) {
    throw new CheckpointError(
      'truncated',
      `its tensors take ${at} bytes, the file has ${dataBytes}: download it again`,
    );
  }
  if (at < dataBytes) {
    throw new CheckpointError('bad-header', `${dataBytes - at} bytes belong to no tensor: download the file again`);
  }
}
