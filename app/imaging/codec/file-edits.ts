import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';

/** At byte `at` of the file as it was, `remove` bytes go and `insert` comes. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const COPY_BYTES = 1 << 20;

/**
 * Applies edits, in the order of their places, to a file of any size in little memory: in place where nothing moves, else
 * by copying the file once. The file is replaced only when the copy is complete.
 */
export function editFile(file: string, edits: readonly Edit[]): void {
  if (edits.length === 0) return;
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (edits.every(({ at, remove, insert }) => remove === insert.length || at + remove === size)) {
      for (const { at, insert } of edits) writeWhole(fd, insert, at);
      return;
    }
    copyEdited(fd, `${file}.edited`, edits, size);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.edited`, file);
}

/** Up to `length` bytes from `offset` of a file. */
export function readBytes(file: string, offset: number, length: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  } finally {
    closeSync(fd);
  }
}

function copyEdited(from: number, target: string, edits: readonly Edit[], size: number): void {
  const to = openSync(target, 'w', fstatSync(from).mode);
  try {
    let read = 0;
    let written = 0;
    for (const { at, remove, insert } of edits) {
      written += copyRange(from, to, { from: read, until: at, at: written });
      writeWhole(to, insert, written);
      written += insert.length;
      read = at + remove;
    }
    copyRange(from, to, { from: read, until: size, at: written });
  } finally {
    closeSync(to);
  }
}

function copyRange(
  from: number,
  to: number,
  range: { readonly from: number; readonly until: number; readonly at: number },
): number {
  const buffer = Buffer.alloc(Math.min(COPY_BYTES, range.until - range.from));
  let copied = 0;
  while (range.from + copied < range.until) {
    const wanted = Math.min(buffer.length, range.until - range.from - copied);
    const read = readSync(from, buffer, 0, wanted, range.from + copied);
    if (read === 0)
      throw new RangeError(`the file ends ${range.until - range.from - copied} bytes before byte ${range.until}`);
    writeWhole(to, buffer.subarray(0, read), range.at + copied);
    copied += read;
  }
  return copied;
}

function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
