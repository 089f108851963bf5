import type { Density } from '../metadata/density.ts';
import { densityInUnit } from '../metadata/density.ts';

/** What a directory of a TIFF file says of its page, as far as it decides what is read and how. */
export interface TiffPage {
  /** NewSubfileType or SubfileType: a smaller copy of another page. */
  readonly isReduced: boolean;
  /** PhotometricInterpretation; 32803 and 34892 are the sensor's own. */
  readonly photometric: number;
  /** Where in the file its value stands. */
  readonly photometricAt: number | undefined;
  /** In pixels; undefined where one of its sides is not said, or is 0. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** Compression: how the pixels are packed. */
  readonly compression: number;
  readonly channels: number;
  /** BitsPerSample, as far as channels are told one by one. */
  readonly bits: readonly number[];
  /** SampleFormat: 1 unsigned, 2 signed, 3 floating-point; of no channel where it is not said. */
  readonly sampleFormats: readonly number[];
  /** YCbCrSubSampling: for how many pixels across and down there is one colour. */
  readonly subsampling: readonly number[];
  /** Whether each channel is stored by itself (PlanarConfiguration). */
  readonly arePlanesApart: boolean;
  /** ExtraSamples: 0 unspecified, 1 alpha that colours are multiplied with, 2 alpha; undefined where it is not said. */
  readonly extraSamples: readonly number[] | undefined;
  /** Where in the file the value of Orientation stands, and what it is. */
  readonly orientation: { readonly at: number; readonly value: number } | undefined;
  /** Whether it has a ColorMap for all that its samples can be, within the file. */
  readonly hasPalette: boolean;
  /** Whether it has an ICC profile that does not. */
  readonly isProfileCut: boolean;
  /** XResolution, YResolution and ResolutionUnit. */
  readonly density: Density | undefined;
  /**
   * Where its pixels are stored in tiles: how many, and how many of them are not in the file (GDAL calls such files sparse); undefined as
   * well beyond so many tiles in a file as no picture has.
   */
  readonly tiles: { readonly count: number; readonly missing: number } | undefined;
  /** Where its pixels are packed as JPEG: the strips or tiles that do not come to their end marker. */
  readonly openJpegs: readonly OpenJpeg[];
  /** Whether it has a DNGVersion. */
  readonly isDng: boolean;
  /** Directories that belong to this one. */
  readonly children: readonly TiffPage[];
}

/** A strip or a tile that is a JPEG without its end marker: its bytes in the file, and where the file says so. */
export interface OpenJpeg extends Part {
  readonly placeAt: ValuePlace;
  readonly lengthAt: ValuePlace;
}

/** A strip or a tile: its bytes in the file. */
interface Part {
  readonly place: number;
  readonly length: number;
}

/** Where in a file an unsigned number stands, and in how many bytes. */
export interface ValuePlace {
  readonly at: number;
  readonly bytes: number;
}

const TAG = {
  newSubfileType: 254,
  subfileType: 255,
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  orientation: 274,
  stripOffsets: 273,
  samplesPerPixel: 277,
  stripByteCounts: 279,
  xResolution: 282,
  yResolution: 283,
  planarConfiguration: 284,
  resolutionUnit: 296,
  colorMap: 320,
  tileOffsets: 324,
  tileByteCounts: 325,
  subDirectories: 330,
  extraSamples: 338,
  sampleFormat: 339,
  subsampling: 530,
  iccProfile: 34_675,
  dngVersion: 50_706,
} as const;
const SHORT = 3;
const RATIONAL = 5;
/** Pages beyond this are not looked at. */
const MAX_PAGES = 1000;
const MAX_ENTRIES = 1000;
const MAX_VALUES = 64;
/** Strips and tiles of all pages together, which may name the same ones. */
const MAX_PARTS = 2 ** 20;
/** Compression by JPEG, as all but the oldest files say it. */
export const JPEG = 7;
const APART = 2;
export const END_OF_JPEG = Buffer.from([0xff, 0xd9]);
/** Bytes of one value by field type, BYTE to IFD8. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] as const;

/** The pages of a TIFF or BigTIFF file in their order, with what their directories point to. Nothing of pixels is looked at. */
export function readTiffPages(file: Uint8Array): TiffPage[] {
  return new TiffWalker(file).pages();
}

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Where the first value stands. */
  readonly at: number;
}

class TiffWalker {
  readonly #view: DataView;
  readonly #isIntel: boolean;
  /** BigTIFF: offsets of 8 bytes. */
  readonly #isBig: boolean;
  readonly #seen = new Set<number>();
  readonly #bytes: Buffer;
  #partsLeft = MAX_PARTS;
  /** Of JPEGs that are looked through; strips and tiles that do not overlap have no more bytes than the file. */
  #bytesLeft: number;

  constructor(file: Uint8Array) {
    this.#bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
    this.#bytesLeft = file.byteLength;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#isIntel = file[0] === 0x49;
    this.#isBig = this.#unsigned(2, 2) === 43;
  }

  pages(): TiffPage[] {
    const pages: TiffPage[] = [];
    let at = this.#isBig ? this.#unsigned(8, 8) : this.#unsigned(4, 4);
    while (pages.length < MAX_PAGES && this.#isNew(at)) {
      const { entries, next } = this.#directory(at);
      pages.push(this.#page(entries, true));
      at = next;
    }
    return pages;
  }

  #isNew(at: number): boolean {
    if (at < 8 || at + 8 > this.#view.byteLength || this.#seen.has(at)) return false;
    this.#seen.add(at);
    return true;
  }

  #directory(at: number): { readonly entries: ReadonlyMap<number, Entry>; readonly next: number } {
    const [countBytes, entryBytes, offsetBytes] = this.#isBig ? [8, 20, 8] : [2, 12, 4];
    const count = this.#unsigned(at, countBytes);
    if (count > MAX_ENTRIES) return { entries: new Map(), next: 0 };
    const entries = new Map<number, Entry>();
    for (let i = 0; i < count; i++) {
      const entry = at + countBytes + i * entryBytes;
      const type = this.#unsigned(entry + 2, 2);
      const values = this.#unsigned(entry + 4, offsetBytes);
      const inline = entry + 4 + offsetBytes;
      const isInline = values * (TYPE_BYTES[type] ?? 0) <= offsetBytes;
      entries.set(this.#unsigned(entry, 2), {
        type,
        count: values,
        at: isInline ? inline : this.#unsigned(inline, offsetBytes),
      });
    }
    return { entries, next: this.#unsigned(at + countBytes + count * entryBytes, offsetBytes) };
  }

  #page(entries: ReadonlyMap<number, Entry>, hasChildren: boolean): TiffPage {
    const first = (tag: number, otherwise: number): number => this.#values(entries.get(tag))[0] ?? otherwise;
    const orientation = entries.get(TAG.orientation);
    const extra = entries.get(TAG.extraSamples);
    const [width, height] = [first(TAG.width, 0), first(TAG.height, 0)];
    const children = hasChildren ? this.#values(entries.get(TAG.subDirectories)) : [];
    const compression = first(TAG.compression, 1);
    const tiles = this.#tiles(entries);
    return {
      isReduced: (first(TAG.newSubfileType, 0) & 1) === 1 || first(TAG.subfileType, 1) === 2,
      photometric: first(TAG.photometric, -1),
      photometricAt: entries.get(TAG.photometric)?.at,
      size: width > 0 && height > 0 ? { width, height } : undefined,
      compression,
      channels: first(TAG.samplesPerPixel, 1),
      bits: this.#values(entries.get(TAG.bitsPerSample)),
      sampleFormats: this.#values(entries.get(TAG.sampleFormat)),
      subsampling: this.#values(entries.get(TAG.subsampling)),
      arePlanesApart: first(TAG.planarConfiguration, 1) === APART,
      extraSamples: extra && this.#values(extra),
      orientation: orientation?.type === SHORT ? { at: orientation.at, value: first(TAG.orientation, 1) } : undefined,
      hasPalette: this.#hasPalette(entries.get(TAG.colorMap), first(TAG.bitsPerSample, 1)),
      isProfileCut: this.#isInFile(entries.get(TAG.iccProfile)) === false,
      density: densityInUnit(
        this.#ratio(entries.get(TAG.xResolution)),
        this.#ratio(entries.get(TAG.yResolution)),
        this.#values(entries.get(TAG.resolutionUnit))[0],
      ),
      tiles: tiles && { count: tiles.length, missing: tiles.filter(isMissing).length },
      openJpegs: compression === JPEG ? this.#openJpegs(entries, tiles) : [],
      isDng: entries.has(TAG.dngVersion),
      children: children.filter((at) => this.#isNew(at)).map((at) => this.#page(this.#directory(at).entries, false)),
    };
  }

  #tiles(entries: ReadonlyMap<number, Entry>): Part[] | undefined {
    return this.#parts(entries.get(TAG.tileOffsets), entries.get(TAG.tileByteCounts));
  }

  #strips(entries: ReadonlyMap<number, Entry>): Part[] | undefined {
    return this.#parts(entries.get(TAG.stripOffsets), entries.get(TAG.stripByteCounts));
  }

  #parts(offsets: Entry | undefined, byteCounts: Entry | undefined): Part[] | undefined {
    if (!offsets || offsets.count > this.#partsLeft) return undefined;
    const { count } = offsets;
    this.#partsLeft -= count;
    const lengths = this.#values(byteCounts, count);
    return this.#values(offsets, count).map((place, part) => ({ place, length: lengths[part] ?? 0 }));
  }

  #openJpegs(entries: ReadonlyMap<number, Entry>, tiles: readonly Part[] | undefined): OpenJpeg[] {
    const parts = tiles ?? this.#strips(entries) ?? [];
    const [offsets, byteCounts] = tiles
      ? [entries.get(TAG.tileOffsets), entries.get(TAG.tileByteCounts)]
      : [entries.get(TAG.stripOffsets), entries.get(TAG.stripByteCounts)];
    return parts.flatMap((part, index) =>
      this.#isOpenJpeg(part)
        ? [{ ...part, placeAt: valuePlace(offsets, index), lengthAt: valuePlace(byteCounts, index) }]
        : [],
    );
  }

  #isOpenJpeg(part: Part): boolean {
    if (isMissing(part) || part.length > this.#bytesLeft) return false;
    this.#bytesLeft -= part.length;
    return !this.#bytes.subarray(part.place, part.place + part.length).includes(END_OF_JPEG);
  }

  #values(entry: Entry | undefined, most = MAX_VALUES): number[] {
    if (!entry) return [];
    const bytes = TYPE_BYTES[entry.type] ?? 0;
    const inFile = bytes > 0 ? Math.trunc(Math.max(0, this.#view.byteLength - entry.at) / bytes) : 0;
    return Array.from({ length: Math.min(entry.count, most, inFile) }, (_, i) =>
      this.#unsigned(entry.at + i * bytes, bytes),
    );
  }

  #hasPalette(entry: Entry | undefined, bits: number): boolean {
    return this.#isInFile(entry) === true && entry?.count === 3 * 2 ** bits;
  }

  #isInFile(entry: Entry | undefined): boolean | undefined {
    return entry && entry.at + entry.count * (TYPE_BYTES[entry.type] ?? 0) <= this.#view.byteLength;
  }

  /** 0 for what is no ratio. */
  #ratio(entry: Entry | undefined): number {
    return entry?.type === RATIONAL ? this.#unsigned(entry.at, 4) / this.#unsigned(entry.at + 4, 4) : 0;
  }

  /** 0 beyond the end of the file, and for what is no number of 1, 2, 4 or 8 bytes. */
  #unsigned(at: number, bytes: number): number {
    if (at + bytes > this.#view.byteLength) return 0;
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, this.#isIntel);
    if (bytes === 4) return this.#view.getUint32(at, this.#isIntel);
    return bytes === 8 ? Number(this.#view.getBigUint64(at, this.#isIntel)) : 0;
  }
}

/** Whether it is not in the file, as GDAL leaves out tiles that hold nothing. */
function isMissing({ place, length }: Part): boolean {
  return place === 0 && length === 0;
}

function valuePlace(entry: Entry | undefined, index: number): ValuePlace {
  const bytes = TYPE_BYTES[entry?.type ?? 0] ?? 0;
  return { at: (entry?.at ?? 0) + index * bytes, bytes };
}
