import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CheckpointError } from './errors.ts';

/** A regular file open for reading. Every read is checked against the size that the file had when it was opened. */
export class ByteFile {
  readonly size: number;
  readonly #descriptor: number;

  private constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.size = size;
  }

  /**
   * Opens `path`, hands it to `use` and closes it again.
   * @throws CheckpointError where `path` is not a file that can be read.
   */
  static with<T>(path: string, use: (file: ByteFile) => T): T {
    const descriptor = openForReading(path);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) {
        throw new CheckpointError('not-a-checkpoint', 'expected a file, this is a folder or a device: name the file');
      }
      return use(new ByteFile(descriptor, stats.size));
    } finally {
      closeSync(descriptor);
    }
  }

  /** `length` bytes from `offset`, in a buffer of their own. */
  read(offset: number, length: number): Buffer {
    this.#check(offset, length);
    const target = Buffer.allocUnsafe(length);
    this.#fill(target, offset);
    return target;
  }

  /** Fills `target` with the bytes from `offset` on. */
  readInto(target: Uint8Array, offset: number): void {
    this.#check(offset, target.byteLength);
    this.#fill(target, offset);
  }

  #check(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new CheckpointError(
        'truncated',
        `expected ${length} bytes at offset ${offset}, but the file ends at ${this.size}: download it again`,
      );
    }
  }

  #fill(target: Uint8Array, offset: number): void {
    let done = 0;
    while (done < target.byteLength) {
      const count = readSync(this.#descriptor, target, done, target.byteLength - done, offset + done);
      if (count === 0) {
        throw new CheckpointError('truncated', `the file became shorter than ${this.size} bytes while it was read`);
      }
      done += count;
    }
  }
}

function openForReading(path: string): number {
  try {
    // Without O_NONBLOCK a named pipe would block here until somebody writes to it.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split(', open '); // and not where it lies
    throw new CheckpointError('not-a-checkpoint', `the file cannot be opened (${reason}): check its path and rights`, {
      cause,
    });
  }
}
