import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../files/durable-file.ts';
import { errorCode } from '../../files/error-code.ts';

/** A file that is written at its end. */
export interface AppendFile {
  /** Writes all of it, or throws. What was written is safe only after `sync`. */
  append(bytes: Buffer): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * The folder of what must survive a power cut. All that the journal does to the disk goes through these few steps, so that a
 * test can cut the power after each of them.
 */
export class StateFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true });
  }

  /** Undefined where there is no such file. */
  async read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.path, name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Opens a file to append to; with `isNew` an empty one, in the place of what there was. */
  async open(name: string, { isNew }: { readonly isNew: boolean }): Promise<AppendFile> {
    const handle = await open(join(this.path, name), isNew ? 'w' : 'a');
    return {
      append: (bytes) => handle.appendFile(bytes),
      sync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.path, from), join(this.path, to));
  }

  /** Makes new names and renames safe. */
  async sync(): Promise<void> {
    await syncFolder(this.path);
  }
}
