import type { ByteFile } from './byte-file.ts';
import { CheckpointError } from './errors.ts';
import type { CheckpointFormat } from './state-dict.ts';

/** Enough to see a tar's mark at 257 and the first line of a text. */
const HEAD_BYTES = 512;

const LOCAL_HEADER = Buffer.from('PK\u0003\u0004', 'latin1');
const EMPTY_ZIP = Buffer.from('PK\u0005\u0006', 'latin1');
const PICKLE_PROTO = 0x80;

/** Beginnings of files that people take for checkpoints. */
const OTHER_FORMATS: readonly { readonly name: string; readonly magic: Buffer; readonly at?: number }[] = [
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
  refuseText(head);
  if (looksLikeSafetensors(head, file.size)) return 'safetensors';
  if (head[0] === PICKLE_PROTO) return 'pth-legacy';
  const other = OTHER_FORMATS.find(({ magic, at }) => startsWith(head.subarray(at ?? 0), magic));
  if (other !== undefined) {
    throw new CheckpointError('unsupported-format', `expected a .pth or .safetensors file, this is ${other.name}`);
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

/** Error pages, and pointers to a file in place of it, are what broken downloads leave under a model's name. */
function refuseText(head: Buffer): void {
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(text)) {
    throw new CheckpointError('html', 'this is a web page saved under the name of a model: download the file itself');
  }
  if (text.startsWith('version https://git-lfs')) {
    throw new CheckpointError(
      'git-lfs-pointer',
      'this is a Git LFS pointer, not the file it stands for: run git lfs pull',
    );
  }
  if (head.every(isTextByte)) {
    // What the text says is not told: whoever asks for a model by its name must not get to read files by it.
    throw new CheckpointError('not-a-checkpoint', 'expected a .pth or .safetensors file, this is a text');
  }
}

/** Control characters are what tells a binary file from a text in any encoding that extends ASCII. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte >= 0x09 && byte <= 0x0d;
}
