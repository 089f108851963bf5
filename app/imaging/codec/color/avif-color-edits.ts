import type { Edit } from '../file-edits.ts';
import type { Box } from '../media-boxes.ts';
import { boxAt, boxesIn, locationsOf, primaryItem } from '../media-boxes.ts';
import type { ColorCodes } from './stated-color.ts';

/** What libheif writes where it is told nothing: the matrix of BT.601, samples of full range. */
const [MATRIX, FULL_RANGE] = [6, 0x80];
const COLOR_BOX_BYTES = 19;
const BOX_HEAD = 8;

/**
 * A `colr` box of the type `nclx` for the picture of an AVIF file: the one that libheif wrote, told otherwise, or where it wrote
 * none the last of the properties, associated with the primary item. What lies behind the boxes moves then, so that `iloc` is told.
 * @param head the file up to the end of its `meta` box
 * @throws RangeError for a file of another layout
 */
export function avifColorEdits(head: Buffer, { primaries, transfer }: ColorCodes): Edit[] {
  const [meta, container, associations] = [['meta'], ['meta', 'iprp', 'ipco'], ['meta', 'iprp', 'ipma']].map((path) =>
    boxAt(head, ...path),
  );
  const properties = boxAt(head, 'meta', 'iprp');
  const id = primaryItem(head);
  if (!meta || !properties || !container || !associations || id === undefined) throw unknownLayout();
  const said = boxesIn(head, container.start, container.end).find((box) => isCodes(head, box));
  if (said) return [{ at: said.start + 4, remove: 4, insert: colorBox(primaries, transfer).subarray(12, 16) }];
  const index = boxesIn(head, container.start, container.end).length + 1;
  const entry = associationEntry(head, associations, id);
  if (entry === undefined || index > 0x7f) throw unknownLayout();
  const added = COLOR_BOX_BYTES + 1;
  return [
    grown(head, meta, added),
    ...locationsOf(head).map(({ offsetAt }) => increased(head, offsetAt, added)),
    grown(head, properties, added),
    grown(head, container, COLOR_BOX_BYTES),
    { at: container.end, remove: 0, insert: colorBox(primaries, transfer) },
    grown(head, associations, 1),
    { at: entry.countAt, remove: 1, insert: Uint8Array.of(entry.count + 1) },
    { at: entry.countAt + 1 + entry.count, remove: 0, insert: Uint8Array.of(index) },
  ].sort((a, b) => a.at - b.at);
}

/** Whether a property tells colours by their codes already, as that of a lossless picture does: its matrix is to stay. */
function isCodes(head: Buffer, { type, start }: Box): boolean {
  return type === 'colr' && head.toString('latin1', start, start + 4) === 'nclx';
}

function colorBox(primaries: number, transfer: number): Uint8Array {
  const box = Buffer.alloc(COLOR_BOX_BYTES);
  box.writeUInt32BE(box.length, 0);
  box.write('colrnclx', 4, 'latin1');
  box.writeUInt16BE(primaries, 12);
  box.writeUInt16BE(transfer, 14);
  box.writeUInt16BE(MATRIX, 16);
  box[18] = FULL_RANGE;
  return box;
}

/** Where the number of an item's properties stands, of version 0 with indexes of one byte. */
function associationEntry(
  head: Buffer,
  { start, end }: Box,
  id: number,
): { countAt: number; count: number } | undefined {
  if (head.readUInt32BE(start) !== 0) return undefined;
  for (let at = start + 8; at + 3 <= end; at += 3 + (head[at + 2] ?? 0)) {
    if (head.readUInt16BE(at) === id) return { countAt: at + 2, count: head[at + 2] ?? 0 };
  }
  return undefined;
}

function grown(head: Buffer, { start }: Box, by: number): Edit {
  return increased(head, start - BOX_HEAD, by);
}

function increased(head: Buffer, at: number, by: number): Edit {
  const insert = Buffer.alloc(4);
  insert.writeUInt32BE(head.readUInt32BE(at) + by);
  return { at, remove: 4, insert };
}

function unknownLayout(): RangeError {
  return new RangeError('the AVIF file is not laid out as expected: no place for the codes of its colours');
}
