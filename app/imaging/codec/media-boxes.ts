/** A box of an ISO base media file (AVIF): its type, and where its content lies. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** An item of the `meta` box, e.g. type `Exif`, and where its bytes lie in the file. */
export interface Item {
  readonly id: number;
  readonly type: string;
  /** For type `mime`: how it is compressed, or empty. */
  readonly encoding: string;
}

export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Boxes in a row between two offsets. A box that says it goes on past `end` is cut there. */
export function boxesIn(bytes: Buffer, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end;) {
    const isLong = bytes.readUInt32BE(at) === 1 && at + 16 <= end;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : bytes.readUInt32BE(at);
    const header = isLong ? 16 : 8;
    const next = size === 0 ? end : at + Math.max(size, header);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at + header, end: Math.min(next, end) });
    at = next;
  }
  return boxes;
}

/** The first box at a path of types; boxes with a version word (`meta`, `iinf`) are stepped over rightly. */
export function boxAt(bytes: Buffer, ...path: readonly string[]): Box | undefined {
  let within: Box | undefined = { type: '', start: 0, end: bytes.length };
  for (const type of path) {
    const skipped: number = within.type === 'meta' ? 4 : 0;
    within = boxesIn(bytes, within.start + skipped, within.end).find((box) => box.type === type);
    if (!within) return undefined;
  }
  return within;
}

/** The top-level boxes that a picture needs. What else goes on past the end of the file is not the picture's: often no box at all. */
const PICTURE_BOXES: ReadonlySet<string> = new Set(['ftyp', 'meta', 'mdat', 'moov']);

/** Where those of the top-level boxes that a picture needs say that they end, the last of them; more than the file's length if it was cut. */
export function declaredLength(bytes: Buffer): number {
  let declared = 0;
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size === 0) return Math.max(declared, bytes.length);
    const isLong = size === 1 && at + 16 <= bytes.length;
    const type = bytes.toString('latin1', at + 4, at + 8);
    at += isLong ? Math.max(Number(bytes.readBigUInt64BE(at + 8)), 16) : Math.max(size, 8);
    if (PICTURE_BOXES.has(type)) declared = at;
  }
  return declared;
}

/** The largest image that the file's properties name (`ispe`): the whole of a grid, not its tiles. */
export function largestImage(bytes: Buffer): { width: number; height: number } | undefined {
  const properties = boxAt(bytes, 'meta', 'iprp', 'ipco');
  if (!properties) return undefined;
  const sizes = boxesIn(bytes, properties.start, properties.end)
    .filter(({ type, start, end }) => type === 'ispe' && end - start >= 12)
    .map(({ start }) => ({ width: bytes.readUInt32BE(start + 4), height: bytes.readUInt32BE(start + 8) }));
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
}

/** The items of the `meta` box. */
export function itemsOf(bytes: Buffer): Item[] {
  const info = boxAt(bytes, 'meta', 'iinf');
  if (!info) return [];
  const isShort = bytes[info.start] === 0;
  return boxesIn(bytes, info.start + (isShort ? 6 : 8), info.end).flatMap(({ type, start, end }) => {
    const version = bytes[start] ?? 0;
    const wide = version === 2 ? 0 : 2; // ids of 2 or 4 bytes
    if (type !== 'infe' || version < 2 || end - start < 12 + wide) return [];
    const id = wide === 0 ? bytes.readUInt16BE(start + 4) : bytes.readUInt32BE(start + 4);
    const at = start + 8 + wide;
    const [, , encoding = ''] = bytes.toString('latin1', at + 4, end).split('\0'); // name, content type, encoding
    const itemType = bytes.toString('latin1', at, at + 4);
    return [{ id, type: itemType, encoding: itemType === 'mime' ? encoding : '' }];
  });
}

/** The item that is the picture (`pitm`). */
export function primaryItem(bytes: Buffer): number | undefined {
  const box = boxAt(bytes, 'meta', 'pitm');
  if (!box || box.end - box.start < 6) return undefined;
  if (bytes[box.start] === 0) return bytes.readUInt16BE(box.start + 4);
  return box.end - box.start < 8 ? undefined : bytes.readUInt32BE(box.start + 4);
}

/** The properties of an item, by the associations of `ipma`. */
export function propertiesOf(bytes: Buffer, id: number): Box[] {
  const [container, associations] = [boxAt(bytes, 'meta', 'iprp', 'ipco'), boxAt(bytes, 'meta', 'iprp', 'ipma')];
  if (!container || !associations) return [];
  const properties = boxesIn(bytes, container.start, container.end);
  const { start, end } = associations;
  const idBytes = bytes[start] === 0 ? 2 : 4;
  const indexBytes = ((bytes[start + 3] ?? 0) & 1) === 1 ? 2 : 1;
  for (let at = start + 8; at + idBytes + 1 <= end;) {
    const first = at + idBytes + 1;
    const next = first + (bytes[first - 1] ?? 0) * indexBytes;
    if (next > end) return [];
    if (bytes.readUIntBE(at, idBytes) !== id) {
      at = next;
      continue;
    }
    const indexes = Array.from({ length: (next - first) / indexBytes }, (_, i) => {
      const essential = indexBytes === 2 ? 0x8000 : 0x80; // the highest bit is a flag
      return bytes.readUIntBE(first + i * indexBytes, indexBytes) & (essential - 1);
    });
    return indexes.map((index) => properties[index - 1]).filter((property) => property !== undefined);
  }
  return [];
}

/** The items that an item is made of (`dimg`), such as the tiles of a grid. */
export function partsOf(bytes: Buffer, id: number): number[] {
  const references = boxAt(bytes, 'meta', 'iref');
  if (!references) return [];
  const idBytes = bytes[references.start] === 0 ? 2 : 4;
  return boxesIn(bytes, references.start + 4, references.end).flatMap(({ type, start, end }) => {
    if (type !== 'dimg' || start + idBytes + 2 > end || bytes.readUIntBE(start, idBytes) !== id) return [];
    const count = Math.min(bytes.readUInt16BE(start + idBytes), Math.floor((end - start - idBytes - 2) / idBytes));
    return Array.from({ length: count }, (_, i) => bytes.readUIntBE(start + idBytes * (i + 1) + 2, idBytes));
  });
}

/** Whether the colours of a picture are multiplied with its alpha (`prem`). */
export function hasMultipliedColors(bytes: Buffer): boolean {
  const references = boxAt(bytes, 'meta', 'iref');
  return (
    references !== undefined && boxesIn(bytes, references.start + 4, references.end).some(({ type }) => type === 'prem')
  );
}

/** Where an item of one extent lies, by the `iloc` box; `undefined` for layouts that libheif does not write. */
export function extentOf(bytes: Buffer, id: number): Extent | undefined {
  return locationsOf(bytes).find((location) => location.id === id)?.extent;
}

/** An item of one extent, and where in the file its offset is told: 4 bytes, to which a base is added. */
export interface Location {
  readonly id: number;
  readonly extent: Extent;
  readonly offsetAt: number;
}

/** What the `iloc` box tells of the items of one extent; nothing for layouts that libheif does not write. */
export function locationsOf(bytes: Buffer): Location[] {
  const locations = boxAt(bytes, 'meta', 'iloc');
  if (!locations) return [];
  const { start, end } = locations;
  const version = bytes[start] ?? 0;
  const widths = {
    offset: (bytes[start + 4] ?? 0) >> 4,
    length: (bytes[start + 4] ?? 0) & 15,
    base: (bytes[start + 5] ?? 0) >> 4,
  };
  const read = (at: number, width: number): number =>
    width === 8 ? Number(bytes.readBigUInt64BE(at)) : width === 4 ? bytes.readUInt32BE(at) : 0;
  if (version > 1) return [];
  const found: Location[] = [];
  for (let at = start + 8; at + 6 <= end;) {
    const id = bytes.readUInt16BE(at);
    const base = at + (version === 1 ? 6 : 4); // after a construction method, if any, and the data reference
    const extents = bytes.readUInt16BE(base + widths.base);
    const first = base + widths.base + 2;
    if (extents === 1) {
      const offset = read(base, widths.base) + read(first, widths.offset);
      found.push({ id, extent: { offset, length: read(first + widths.offset, widths.length) }, offsetAt: first });
    }
    at = first + extents * (widths.offset + widths.length);
  }
  return found;
}
