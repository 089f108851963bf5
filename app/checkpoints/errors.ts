import { HiresFixError } from '../errors.ts';

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
  readonly kind: CheckpointErrorKind;

  constructor(kind: CheckpointErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /** The same error, naming the file: the parsers below know bytes only. */
  inFile(file: string): CheckpointError {
    return new CheckpointError(this.kind, `${file}: ${this.message}`, { cause: this.cause });
  }
}

const MAX_QUOTE = 80;

/** Text from a file, for a message: quoted, control characters escaped, cut short. */
export function quoted(text: string): string {
  const shown = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"')}'`;
}
