import { toProfileSpace } from './chromaticities.ts';
import type { ColorSpace } from './stated-color.ts';
import type { TransferCurve } from './transfer-curves.ts';

/*
 * ICC profiles, version 4.4 (https://www.color.org/specification/ICC.1-2022-05.pdf): the header of 128 bytes, a table of tags,
 * and their data, each on a multiple of 4.
 */

const HEADER_BYTES = 128;
const VERSION = 0x04400000;
const TABLE_ENTRY_BYTES = 12;
const D50 = [0.9642, 1, 0.8249] as const;
/** Points of a curve that has no formula. */
const CURVE_POINTS = 4096;

type Tag = readonly [name: string, data: Buffer];

/**
 * A display profile that says what the words of a file mean: matrix and curves for RGB, a curve for gray.
 * @returns undefined for chromaticities that span no space
 */
export function makeProfile(space: ColorSpace, kind: 'RGB ' | 'GRAY'): Uint8Array | undefined {
  const matrices = toProfileSpace(space.chromaticities);
  if (!matrices) return undefined;
  const curve = curveTag(space.curve);
  const common: readonly Tag[] = [
    ['desc', textTag(space.label)],
    ['cprt', textTag('CC0')],
    ['wtpt', xyzTag(D50)],
  ];
  if (kind === 'GRAY') return profileOf(kind, [...common, ['kTRC', curve]]);
  const [x, y, z] = matrices.rgb;
  const column = (at: 0 | 1 | 2): Buffer => xyzTag([x[at], y[at], z[at]]);
  return profileOf(kind, [
    ...common,
    ['chad', numbersTag('sf32', matrices.adaptation.flat())],
    ['rXYZ', column(0)],
    ['gXYZ', column(1)],
    ['bXYZ', column(2)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
    ...(space.codes ? [codesTag(space.codes)] : []),
  ]);
}

function profileOf(kind: string, tags: readonly Tag[]): Uint8Array {
  const table = Buffer.alloc(4 + tags.length * TABLE_ENTRY_BYTES);
  table.writeUInt32BE(tags.length, 0);
  const placed = new Map<Buffer, number>(); // curves that are the same are written once
  const data: Buffer[] = [];
  let end = HEADER_BYTES + table.length;
  for (const [i, [name, tag]] of tags.entries()) {
    if (!placed.has(tag)) {
      placed.set(tag, end);
      data.push(tag, Buffer.alloc(-tag.length & 3));
      end += tag.length + (-tag.length & 3);
    }
    const at = 4 + i * TABLE_ENTRY_BYTES;
    table.write(name, at, 'latin1');
    table.writeUInt32BE(placed.get(tag) ?? 0, at + 4);
    table.writeUInt32BE(tag.length, at + 8);
  }
  return Buffer.concat([header(kind, end), table, ...data]);
}

/** Without a date: the same words give the same bytes. */
function header(kind: string, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(VERSION, 8);
  bytes.write(`mntr${kind}XYZ `, 12, 'latin1');
  bytes.writeUInt16BE(2000, 24); // year, month, day: a date has to be one
  bytes.writeUInt16BE(1, 26);
  bytes.writeUInt16BE(1, 28);
  bytes.write('acsp', 36, 'latin1');
  D50.forEach((value, i) => bytes.writeInt32BE(fixed(value), 68 + i * 4));
  return bytes;
}

function typed(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(8 + length);
  bytes.write(type, 'latin1');
  return bytes;
}

/** `mluc`, one text in English. */
function textTag(text: string): Buffer {
  const head = typed('mluc', 20);
  head.writeUInt32BE(1, 8);
  head.writeUInt32BE(TABLE_ENTRY_BYTES, 12);
  head.write('enUS', 16, 'latin1');
  head.writeUInt32BE(text.length * 2, 20);
  head.writeUInt32BE(head.length, 24);
  return Buffer.concat([head, Buffer.from(text, 'utf16le').swap16()]);
}

function xyzTag(xyz: readonly number[]): Buffer {
  return numbersTag('XYZ ', xyz);
}

function numbersTag(type: string, values: readonly number[]): Buffer {
  const bytes = typed(type, values.length * 4);
  values.forEach((value, i) => bytes.writeInt32BE(fixed(value), 8 + i * 4));
  return bytes;
}

/** `para` of type 0 or 3, or a table of points. */
function curveTag(curve: TransferCurve): Buffer {
  if (typeof curve === 'function') {
    const bytes = typed('curv', 4 + CURVE_POINTS * 2);
    bytes.writeUInt32BE(CURVE_POINTS, 8);
    for (let i = 0; i < CURVE_POINTS; i++) {
      bytes.writeUInt16BE(Math.round(curve(i / (CURVE_POINTS - 1)) * 65535), 12 + i * 2);
    }
    return bytes;
  }
  const bytes = typed('para', 4 + curve.length * 4);
  bytes.writeUInt16BE(curve.length === 1 ? 0 : 3, 8);
  curve.forEach((value, i) => bytes.writeInt32BE(fixed(value), 12 + i * 4));
  return bytes;
}

/** For readers that know HDR by its codes, whatever the curves say. */
function codesTag({ primaries, transfer }: NonNullable<ColorSpace['codes']>): Tag {
  const bytes = typed('cicp', 4);
  bytes.set([primaries, transfer, 0, 1], 8); // RGB, full range
  return ['cicp', bytes];
}

/** s15Fixed16. */
function fixed(value: number): number {
  return Math.round(Math.min(Math.max(value, -32768), 32767.999) * 65536);
}
