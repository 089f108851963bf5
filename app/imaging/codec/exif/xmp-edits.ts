/** XMP as text of one character a byte, so that nothing changes but what is meant to. */
const ENCODING = 'latin1';

const WIDTH_NAMES = 'tiff:ImageWidth|exif:PixelXDimension';
const HEIGHT_NAMES = 'tiff:ImageLength|exif:PixelYDimension';

/** What a camera keeps in a file behind its picture, and the namespaces in which XMP speaks of it. */
const COMPANIONS = [
  {
    what: 'the gain map of the picture (HDR) is left out',
    names: /\b(?:hdrgm|HDRGainMap):\w+/,
    prefixes: 'hdrgm|HDRGainMap',
  },
  {
    what: 'the video of a motion photo is left out',
    names: /\b(?:GCamera|Camera|OpCamera|MiCamera):(?:MotionPhoto|MicroVideo)/,
    prefixes: 'GCamera|Camera|OpCamera|MiCamera',
  },
] as const;
/** The list of all that lies behind the picture, with where it lies. */
const DIRECTORY = '(?:G?Container|DirContainer):Directory';

/** How an XMP packet says that the picture is turned, 1..8 as in EXIF; undefined where it does not say. */
export function xmpOrientation(xmp: Uint8Array): number | undefined {
  const found = /tiff:Orientation(?:\s*=\s*["']|>)\s*([1-8])(?!\d)/.exec(Buffer.from(xmp).toString(ENCODING));
  return found ? Number(found[1]) : undefined;
}

/** A copy of an XMP packet in which `tiff:Orientation` is 1, as an attribute or an element. */
export function resetXmpOrientation(xmp: Uint8Array): Uint8Array {
  return edited(xmp, (text) => text.replace(/(tiff:Orientation(?:\s*=\s*["']|>))\s*[1-8]/g, '$11'));
}

/** A copy of an XMP packet in which the sizes that it says are these; what it does not say is not added. */
export function withXmpSize(
  xmp: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const said = (names: string): RegExp => new RegExp(`((?:${names})(?:\\s*=\\s*["']|>))\\s*\\d+`, 'g');
  return edited(xmp, (text) =>
    text.replace(said(WIDTH_NAMES), `$1${width}`).replace(said(HEIGHT_NAMES), `$1${height}`),
  );
}

/**
 * An XMP packet without what it says of gain maps and videos, which a result has not, and a sentence for each of them.
 */
export function withoutCompanions(xmp: Uint8Array): { readonly xmp: Uint8Array; readonly warnings: readonly string[] } {
  const text = Buffer.from(xmp).toString(ENCODING);
  const there = COMPANIONS.filter(({ names }) => names.test(text));
  if (there.length === 0) return { xmp, warnings: [] };
  const prefixes = there.map((one) => one.prefixes).join('|');
  const attributes = new RegExp(`\\s(?:${prefixes}):\\w+\\s*=\\s*(?:"[^"]*"|'[^']*')`, 'g');
  const names = new RegExp(`<(${DIRECTORY}|(?:${prefixes}):\\w+)[^<>]*>`, 'g');
  const left = edited(xmp, (packet) => withoutElements(packet, names).replace(attributes, ''));
  return { xmp: left, warnings: there.map(({ what }) => what) };
}

/** A copy of an XMP packet that does not say that there is more of it elsewhere in the file, as JPEG has it. */
export function withoutExtension(xmp: Uint8Array): Uint8Array {
  const said =
    /\sxmpNote:HasExtendedXMP\s*=\s*(?:"[^"]*"|'[^']*')|<xmpNote:HasExtendedXMP>[^<]*<\/xmpNote:HasExtendedXMP>/g;
  return edited(xmp, (text) => text.replace(said, ''));
}

/** The text without the elements whose start tags match; from one on that is not closed, as it is. */
function withoutElements(text: string, startTag: RegExp): string {
  const kept: string[] = [];
  let at = 0;
  for (let tag = startTag.exec(text); tag !== null; tag = startTag.exec(text)) {
    const [start, name = ''] = tag;
    const end = start.endsWith('/>') ? tag.index + start.length : endOf(text, name, tag.index);
    if (end === undefined) break;
    kept.push(text.slice(at, tag.index));
    at = startTag.lastIndex = end;
  }
  return [...kept, text.slice(at)].join('');
}

function endOf(text: string, name: string, from: number): number | undefined {
  const tag = `</${name}>`;
  const at = text.indexOf(tag, from);
  return at < 0 ? undefined : at + tag.length;
}

function edited(xmp: Uint8Array, edit: (text: string) => string): Uint8Array {
  return new Uint8Array(Buffer.from(edit(Buffer.from(xmp).toString(ENCODING)), ENCODING));
}
