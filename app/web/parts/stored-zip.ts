const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Names are UTF-8. */
const UTF8 = 0x0800;
/** 1 January 1980: the first day that a ZIP knows. */
const FIRST_DAY = 0x21;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** A ZIP of files as they are: pictures do not get smaller. Up to 4 GB; the browser keeps the parts where it likes. */
export class StoredZip {
  readonly #parts: BlobPart[] = [];
  readonly #central: Uint8Array<ArrayBuffer>[] = [];
  readonly #names = new Set<string>();
  #offset = 0;

  /** Adds a file; a name that is taken gets a number. */
  async add(path: string, blob: Blob): Promise<void> {
    const name = new TextEncoder().encode(this.#free(path));
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const common = [20, UTF8, 0, 0, FIRST_DAY] as const;
    const sizes = [crc, blob.size, blob.size] as const;
    const local = bytesOf([[LOCAL, 4], ...words(common), ...longs(sizes), [name.length, 2], [0, 2]]);
    this.#parts.push(local, name, blob);
    const tail = [...words([0, 0, 0, 0]), ...longs([0, this.#offset])];
    this.#central.push(
      bytesOf([[CENTRAL, 4], [20, 2], ...words(common), ...longs(sizes), [name.length, 2], ...tail]),
      name,
    );
    this.#offset += local.length + name.length + blob.size;
  }

  finish(): Blob {
    const size = this.#central.reduce((sum, { length }) => sum + length, 0);
    const count = this.#names.size;
    const end = bytesOf([[END, 4], ...words([0, 0, count, count]), ...longs([size, this.#offset]), [0, 2]]);
    return new Blob([...this.#parts, ...this.#central, end], { type: 'application/zip' });
  }

  #free(path: string): string {
    let name = path;
    for (let number = 2; this.#names.has(name); number++) name = path.replace(/(\.[^.]*)?$/, ` ${number}$1`);
    this.#names.add(name);
    return name;
  }
}

type Field = readonly [value: number, bytes: 2 | 4];

const words = (values: readonly number[]): Field[] => values.map((value) => [value, 2] as const);
const longs = (values: readonly number[]): Field[] => values.map((value) => [value, 4] as const);

function bytesOf(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fields.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
