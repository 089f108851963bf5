/*
 * TIFF files byte by byte, so that tests can have what no encoder writes. Pixels are 8 bits a sample, uncompressed, one strip.
 */

/** A page, or what one points to. */
export interface TiffDirectory {
  readonly width: number;
  readonly height: number;
  /** Interleaved, of as many channels as go into it. */
  readonly samples: Uint8Array;
  readonly photometric?: number;
  /** Further entries, or others in the place of those that are written by themselves: type 1 bytes, 3 shorts, 4 longs. */
  readonly entries?: readonly (readonly [tag: number, type: 1 | 3 | 4, values: readonly number[]])[];
  readonly children?: readonly TiffDirectory[];
}

const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;
const WIDTHS = { 1: 1, 3: 2, 4: 4 } as const;
const SUB_DIRECTORIES = 330;

/** A little-endian TIFF file of pages in a chain. */
export function writeTiff(pages: readonly TiffDirectory[]): Buffer {
  const parts: Buffer[] = [];
  let end = HEADER_BYTES;
  const append = (bytes: Buffer): number => {
    const at = end;
    parts.push(bytes, Buffer.alloc(bytes.length % 2));
    end += bytes.length + (bytes.length % 2);
    return at;
  };
  /** Children and later pages come first, since their places have to be known. */
  const directory = (page: TiffDirectory, next: number): number => {
    const children = (page.children ?? []).map((child) => directory(child, 0));
    const values = new Map<number, readonly [type: 1 | 3 | 4, values: readonly number[]]>([
      ...ordinaryEntries(page, append(Buffer.from(page.samples))),
      ...(children.length > 0 ? [[SUB_DIRECTORIES, [4, children]] as const] : []),
      ...(page.entries ?? []).map(([tag, type, list]) => [tag, [type, list]] as const),
    ]);
    const table = Buffer.alloc(2 + values.size * ENTRY_BYTES + 4);
    table.writeUInt16LE(values.size);
    const sorted = [...values].sort(([a], [b]) => a - b);
    for (const [i, [tag, [type, list]]] of sorted.entries()) {
      const at = 2 + i * ENTRY_BYTES;
      const bytes = packed(type, list);
      table.writeUInt16LE(tag, at);
      table.writeUInt16LE(type, at + 2);
      table.writeUInt32LE(list.length, at + 4);
      if (bytes.length <= 4) bytes.copy(table, at + 8);
      else table.writeUInt32LE(append(bytes), at + 8);
    }
    table.writeUInt32LE(next, table.length - 4);
    return append(table);
  };
  const first = pages.reduceRight((next, page) => directory(page, next), 0);
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(first, 4);
  return Buffer.concat([header, ...parts]);
}

function ordinaryEntries(
  { width, height, samples, photometric = 2 }: TiffDirectory,
  strip: number,
): [number, [1 | 3 | 4, readonly number[]]][] {
  const channels = samples.length / (width * height);
  return [
    [256, [4, [width]]],
    [257, [4, [height]]],
    [258, [3, Array<number>(channels).fill(8)]],
    [259, [3, [1]]],
    [262, [3, [photometric]]],
    [273, [4, [strip]]],
    [277, [3, [channels]]],
    [278, [4, [height]]],
    [279, [4, [samples.length]]],
  ];
}

function packed(type: 1 | 3 | 4, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * WIDTHS[type]);
  values.forEach((value, i) => bytes.writeUIntLE(value, i * WIDTHS[type], WIDTHS[type]));
  return bytes;
}
