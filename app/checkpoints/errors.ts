import { basename } from 'node:path';
import { HiresFixError, oneLine, printable } from '../errors.ts';

/** What is wrong with a checkpoint; stable, for callers that treat kinds apart. */
type CheckpointErrorKind =
  | 'forbidden-global'
  | 'bad-pickle'
  | 'too-deep'
  | 'too-large'
  | 'out-of-bounds'
  | 'missing-storage'
  | 'missing-tensor'
  | 'unsupported-dtype'
  | 'unsupported'
  | 'truncated'
  | 'bad-zip'
  | 'bad-crc'
  | 'not-finite'
  | 'duplicate-entry'
  | 'compressed-entry'
  | 'bad-header'
  | 'html'
  | 'git-lfs-pointer'
  | 'torchscript'
  | 'unsupported-format'
  | 'not-a-checkpoint'
  | 'empty';

/** A file that is not a checkpoint, is damaged, or holds something that is not read. */
export class CheckpointError extends HiresFixError {
  readonly code = 'ERR_BAD_CHECKPOINT';
  readonly fault = 'model';
  readonly kind: CheckpointErrorKind;

  constructor(kind: CheckpointErrorKind, message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
    this.kind = kind;
  }

  /** The same error, naming the file: the parsers below know bytes only. Where it lies is nobody's business. */
  inFile(file: string): CheckpointError {
    return new CheckpointError(this.kind, `${shownFile(file)}: ${this.message}`, { cause: this.cause });
  }
}

const MAX_QUOTE = 80;

/** Text from a file, for a message: quoted, control characters escaped, cut short. */
export function quoted(text: string): string {
  const shown = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
  return `'${printable(JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"'))}'`;
}

/** The name of a tensor, for a message: as it is where it is a plain one, else quoted. */
export function shownName(name: string): string {
  return /^[\w.-]{1,120}$/.test(name) ? name : quoted(name);
}

/** What a file is called in a message: its name without its folder, quoted where it has odd characters. */
export function shownFile(file: string): string {
  const name = basename(file);
  return name.length <= MAX_QUOTE && name === printable(name) ? name : quoted(name);
}
