import { inflateSync } from 'node:zlib';
import { chunkType, METADATA_LIMITS } from './metadata.ts';

/** A text of a PNG, as it is stored. */
export interface PngText {
  readonly keyword: string;
  readonly encoding: 'latin1' | 'utf8';
  readonly data: Buffer;
  readonly isPacked: boolean;
}

/**
 * Reads a tEXt, zTXt or iTXt chunk (https://www.w3.org/TR/png-3/#11textinfo), without inflating anything.
 * @param whole length to CRC
 * @returns undefined for other chunks, and for one without keyword, or that ends before its text begins
 */
export function readPngText(whole: Uint8Array): PngText | undefined {
  const data = Buffer.from(whole.buffer, whole.byteOffset + 8, Math.max(whole.length - 12, 0));
  const end = data.indexOf(0);
  if (end < 1) return undefined;
  const keyword = data.toString('latin1', 0, end);
  switch (chunkType(whole)) {
    case 'tEXt':
      return { keyword, encoding: 'latin1', data: data.subarray(end + 1), isPacked: false };
    case 'zTXt':
      return { keyword, encoding: 'latin1', data: data.subarray(end + 2), isPacked: true };
    case 'iTXt': {
      // Whether and how it is packed, then a language and a keyword in that language.
      const language = data.indexOf(0, end + 3);
      const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
      if (translated < 0) return undefined;
      return { keyword, encoding: 'utf8', data: data.subarray(translated + 1), isPacked: data[end + 1] !== 0 };
    }
    default:
      return undefined;
  }
}

/** The bytes of a text; undefined for a packed one that is damaged, or larger than `maxBytes` unpacked. */
export function unpacked({ data, isPacked }: PngText, maxBytes: number): Buffer | undefined {
  if (!isPacked) return data;
  try {
    return inflateSync(data, { maxOutputLength: Math.max(1, maxBytes) });
  } catch {
    return undefined;
  }
}

/** Keyword and text of a tEXt, iTXt or zTXt chunk; compressed ones are inflated up to a limit. */
export function textOf(whole: Uint8Array): readonly [keyword: string, text: string] | undefined {
  const text = readPngText(whole);
  const bytes = text && unpacked(text, METADATA_LIMITS.text);
  return bytes && [text.keyword, bytes.toString(text.encoding)];
}
