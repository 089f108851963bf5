import { readFileSync } from 'node:fs';

const FILE = '/etc/ld.so.cache';
const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_BYTES = 48;
const ENTRY_BYTES = 24;

/**
 * Where the system's own list of libraries has each name (what `ldconfig` wrote, in the format of glibc since 2.2: a header, then
 * entries of flags, name and path, as offsets of strings). Empty where there is no such list, or none that can be read.
 */
export function readLoaderCache(file = FILE): ReadonlyMap<string, readonly string[]> {
  try {
    return parse(readFileSync(file));
  } catch {
    return new Map();
  }
}

function parse(bytes: Buffer): ReadonlyMap<string, readonly string[]> {
  const start = bytes.indexOf(MAGIC, 0, 'latin1'); // an older list may stand before it
  if (start < 0) return new Map();
  const textAt = (offset: number): string => bytes.toString('latin1', start + offset, bytes.indexOf(0, start + offset));
  const found = new Map<string, string[]>();
  const count = bytes.readUInt32LE(start + MAGIC.length);
  for (let index = 0; index < count; index++) {
    const at = start + HEADER_BYTES + index * ENTRY_BYTES;
    const name = textAt(bytes.readUInt32LE(at + 4));
    found.set(name, [...(found.get(name) ?? []), textAt(bytes.readUInt32LE(at + 8))]);
  }
  return found;
}
