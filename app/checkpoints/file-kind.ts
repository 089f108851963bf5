import type { ByteFile } from './byte-file.ts';
import { CheckpointError } from './errors.ts';
import type { CheckpointFormat } from './state-dict.ts';

/** Enough to see a tar's mark at 257 and the first line of a text. */
const HEAD_BYTES = 512;

const LOCAL_HEADER = Buffer.from('PK\u0003\u0004', 'latin1');
const EMPTY_ZIP = Buffer.from('PK\u0005\u0006', 'latin1');
const PICKLE_PROTO = 0x80;
/** torch's magic number, with which its files without an archive begin, as protocols 0 and 1 write it. */
const OLD_MAGIC = Buffer.from('L119547037146038801333356L\n', 'latin1');
/** What to do about a pickle of those protocols. */
export const SAVE_AGAIN =
  "load it with torch and save it again: torch.save(torch.load('old.pth'), 'new.pth'), without pickle_protocol";

const TAKE_PYTORCH = 'Take the PyTorch file that it was made of';

/** Beginnings of files that people take for checkpoints. */
const OTHER_FORMATS: readonly { readonly name: string; readonly magic: Buffer; readonly at?: number }[] = [
  {
    name: 'an AppleDouble file, which macOS puts beside the real one: take the one without ._ in its name',
    magic: Buffer.from('00051607', 'hex'),
  },
  { name: `an ncnn model (.bin). ${TAKE_PYTORCH}`, magic: Buffer.from('476b3001', 'hex') },
  { name: `a TensorRT engine. ${TAKE_PYTORCH}`, magic: Buffer.from('ftrt', 'latin1') },
  { name: `a TensorRT engine. ${TAKE_PYTORCH}`, magic: Buffer.from('ptrt', 'latin1') },
  { name: `a TensorFlow Lite model. ${TAKE_PYTORCH}`, magic: Buffer.from('TFL3', 'latin1'), at: 4 },
  { name: 'a list of numbers of NumPy (.npy)', magic: Buffer.from('\u0093NUMPY', 'latin1') },
  { name: 'a WebP, WAV or AVI file', magic: Buffer.from('RIFF', 'latin1') },
  { name: 'a GIF picture', magic: Buffer.from('GIF8', 'latin1') },
  { name: 'a PDF document', magic: Buffer.from('%PDF', 'latin1') },
  { name: 'a program for Windows', magic: Buffer.from('MZ', 'latin1') },
  { name: 'a program for Linux', magic: Buffer.from('\u007fELF', 'latin1') },
  { name: 'an XZ archive: unpack it first', magic: Buffer.from('fd377a585a00', 'hex') },
  { name: 'a Zstandard archive: unpack it first', magic: Buffer.from('28b52ffd', 'hex') },
  { name: 'a bzip2 archive: unpack it first', magic: Buffer.from('BZh', 'latin1') },
  { name: 'a PNG picture', magic: Buffer.from('\u0089PNG', 'latin1') },
  { name: 'a JPEG picture', magic: Buffer.from('ffd8ff', 'hex') },
  { name: 'a gzip archive: unpack it first', magic: Buffer.from('1f8b', 'hex') },
  { name: 'a 7z archive: unpack it first', magic: Buffer.from('377abcaf271c', 'hex') },
  { name: 'a RAR archive: unpack it first', magic: Buffer.from('Rar!\u001a', 'latin1') },
  { name: 'a Keras model (HDF5)', magic: Buffer.from('\u0089HDF', 'latin1') },
  { name: 'a GGUF model', magic: Buffer.from('GGUF', 'latin1') },
  {
    name: 'a tar archive (torch 0.1): load and save it again with torch',
    magic: Buffer.from('ustar', 'latin1'),
    at: 257,
  },
];

/**
 * What a file is by its content; its name says nothing.
 * @throws CheckpointError that says what else it is.
 */
export function detectFormat(file: ByteFile): CheckpointFormat {
  if (file.size === 0) throw new CheckpointError('empty', 'the file is empty: download it again');
  const head = file.read(0, Math.min(HEAD_BYTES, file.size));
  if (startsWith(head, LOCAL_HEADER) || startsWith(head, EMPTY_ZIP)) return 'pth-zip';
  if (startsWith(head, OLD_MAGIC)) {
    throw new CheckpointError('unsupported-format', `this is a checkpoint of pickle protocol 0 or 1; ${SAVE_AGAIN}`);
  }
  refuseText(head);
  if (looksLikeSafetensors(head, file.size)) return 'safetensors';
  if (head[0] === PICKLE_PROTO) return 'pth-legacy';
  const other = OTHER_FORMATS.find(({ magic, at }) => startsWith(head.subarray(at ?? 0), magic))?.name;
  const name =
    other ?? (isOnnx(head) ? 'an ONNX model, which runs as an upscaler under a name that ends with .onnx' : undefined);
  if (name !== undefined) {
    throw new CheckpointError('unsupported-format', `expected a .pth or .safetensors file, this is ${name}`);
  }
  if (head.every((byte) => byte === 0)) {
    throw new CheckpointError(
      'unsupported-format',
      'the file begins with zeros only: an unfinished download, start it again',
    );
  }
  throw new CheckpointError('unsupported-format', 'expected a .pth or .safetensors file, this is of another kind');
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

/** A header length, then JSON. A header that begins with anything but `{` is refused later, with the reason. */
function looksLikeSafetensors(head: Buffer, size: number): boolean {
  if (head.length < 9) return false;
  const first = String.fromCharCode(head[8] ?? 0);
  return first === '{' || (first === '[' && head.readBigUInt64LE(0) <= BigInt(size - 8));
}

/**
 * A ModelProto of ONNX as exporters write it: the version of the format (field 1, 3 or more since 2017), then the producer's
 * name as text (field 2), the graph (7) or the operators (8). TensorFlow's and Core ML's begin alike and go on otherwise.
 */
function isOnnx(head: Buffer): boolean {
  const [field = 0, version = 0, next = 0] = head;
  if (field !== 0x08 || version < 3 || version > 0x7f) return false;
  if (next === 0x12) return head.subarray(4, 4 + (head[3] ?? 0)).every((byte) => byte >= 0x20 && byte < 0x7f);
  return next === 0x3a || next === 0x42;
}

/** Error pages, and pointers to a file in place of it, are what broken downloads leave under a model's name. */
function refuseText(head: Buffer): void {
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^<(\?xml[^]*)?<?net\s/i.test(text)) {
    throw new CheckpointError('unsupported-format', `this is an OpenVINO model. ${TAKE_PYTORCH}`);
  }
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(text)) {
    throw new CheckpointError('html', 'this is a web page saved under the name of a model: download the file itself');
  }
  if (text.startsWith('7767517')) {
    throw new CheckpointError('unsupported-format', `this is an ncnn model (.param). ${TAKE_PYTORCH}`);
  }
  if (text.startsWith('version https://git-lfs')) {
    throw new CheckpointError(
      'git-lfs-pointer',
      'this is a Git LFS pointer, not the file it stands for: run git lfs pull',
    );
  }
  if (head.every(isTextByte)) {
    // What the text says is not told: whoever asks for a model by its name must not get to read files by it.
    throw new CheckpointError('not-a-checkpoint', 'expected a .pth or .safetensors file, this is a text file');
  }
}

/** Control characters are what tells a binary file from a text in any encoding that extends ASCII. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte >= 0x09 && byte <= 0x0d;
}
