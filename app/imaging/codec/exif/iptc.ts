/*
 * IPTC (captions, keywords, credits; IIM records as they are) and where files have it: JPEG among Photoshop's resources in APP13, TIFF in
 * a tag of its own (https://www.iptc.org/std/IIM/4.2/specification/IIMV4.2.pdf; Adobe Photoshop File Formats, Image Resource Blocks).
 */

import type { Entry } from './exif-tree.ts';
import { openTiffFile, readDirectory } from './exif-tree.ts';

/** What an APP13 segment with Photoshop's resources begins with. */
export const RESOURCES_HEAD = 'Photoshop 3.0\0';
const RESOURCE = '8BIM';
const IPTC_RESOURCE = 0x0404;
const RICH_TIFF_IPTC = 33_723;
const [LONG, UNDEFINED] = [4, 7];
/** What every record begins with. */
const RECORD = 0x1c;

/**
 * The IPTC among Photoshop's resources; undefined where there is none that is whole.
 * @param resources of one or several APP13 segments, without what these begin with
 */
export function iptcOfResources(resources: Buffer): Uint8Array | undefined {
  for (let at = 0; at + 12 <= resources.length && resources.toString('latin1', at, at + 4) === RESOURCE;) {
    const id = resources.readUInt16BE(at + 4);
    const nameBytes = 1 + (resources[at + 6] ?? 0);
    const lengthAt = at + 6 + nameBytes + (nameBytes % 2);
    if (lengthAt + 4 > resources.length) return undefined;
    const length = resources.readUInt32BE(lengthAt);
    const data = resources.subarray(lengthAt + 4, lengthAt + 4 + length);
    if (id === IPTC_RESOURCE) return data.length === length && length > 0 ? Uint8Array.from(data) : undefined;
    at = lengthAt + 4 + length + (length % 2);
  }
  return undefined;
}

/** The data of an APP13 segment that has IPTC and nothing else. */
export function resourcesOfIptc(iptc: Uint8Array): Buffer {
  const head = Buffer.from(`${RESOURCES_HEAD}${RESOURCE}\0\0\0\0\0\0\0\0`, 'latin1');
  head.writeUInt16BE(IPTC_RESOURCE, RESOURCES_HEAD.length + 4);
  head.writeUInt32BE(iptc.length, RESOURCES_HEAD.length + 8);
  return Buffer.concat([head, iptc, Buffer.alloc(iptc.length % 2)]);
}

/** The IPTC that the first directory of a TIFF file has: bytes, though many writers call them LONGs. Undefined where it has none. */
export function iptcOfTiffFile(file: Uint8Array): Uint8Array | undefined {
  const tiff = openTiffFile(file);
  const [entry] = tiff ? readDirectory(tiff, tiff.firstDirectory, (tag) => tag === RICH_TIFF_IPTC) : [];
  if (entry?.type !== LONG || entry.value[0] === RECORD) return entry?.value;
  const unswapped = Buffer.from(entry.value).swap32(); // in the order of the file, or of the one who wrote them in another
  return unswapped[0] === RECORD ? new Uint8Array(unswapped) : undefined;
}

/** IPTC as the entry of a TIFF's directory. */
export function iptcEntry(iptc: Uint8Array): Entry {
  return { tag: RICH_TIFF_IPTC, type: UNDEFINED, count: iptc.length, value: iptc };
}
