import { zipArchive } from '../checkpoints/checkpoint-writer.ts';

/** A file that no model is, or that means harm. Its name ends as a model's does, so that it is listed. */
export interface HostileFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes out of text (each character one), numbers (each one) and buffers. */
export function bytes(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part);
      return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    }),
  );
}

export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value >>> 0);
  return out;
}

export function uint64(value: number | bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return out;
}

/** A zip as torch writes it around a pickle (without PROTO and STOP) and storages. */
export function pthOf(body: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return zipOf([
    ['archive/data.pkl', bytes('\u0080\u0002', body, '.')],
    ...Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data] as const),
    ['archive/version', bytes('3\n')],
  ]);
}

export function zipOf(members: readonly (readonly [string, Uint8Array])[]): Buffer {
  return Buffer.concat([...zipArchive(members)]);
}

/** Magic number, protocol, machine, and the two pickles that hold the weights (each without PROTO and STOP). */
export function legacyOf(tree: Uint8Array, keys: Uint8Array = bytes(']'), machine: Uint8Array = bytes('}')): Buffer {
  const magic = bytes('\u008a\u000a', Buffer.from('6cfc9c46f9206aa85019', 'hex'));
  return Buffer.concat(
    [magic, bytes('M\u00e9\u0003'), machine, tree, keys].map((body) => bytes('\u0080\u0002', body, '.')),
  );
}

export function safetensorsOf(
  header: string | Uint8Array,
  data: Uint8Array = Buffer.alloc(0),
  length?: number,
): Buffer {
  const text = Buffer.from(header);
  return Buffer.concat([uint64(length ?? text.length), text, data]);
}
