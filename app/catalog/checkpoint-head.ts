/** How many bytes `looksLikeCheckpoint` wants to see. */
export const HEAD_BYTES = 16;

/**
 * Whether a file that begins so can be a checkpoint: a zip (torch >= 1.6), a pickle (older torch), or a safetensors header
 * (its length as 8 bytes, then a brace). Tells files from web pages and error messages; it does not validate anything.
 */
export function looksLikeCheckpoint(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const isZip = bytes.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'));
  const isPickle = bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5;
  const isSafetensors = bytes.length > 8 && bytes[8] === 0x7b && bytes.readBigUInt64LE(0) < 2n ** 32n;
  return isZip || isPickle || isSafetensors;
}
