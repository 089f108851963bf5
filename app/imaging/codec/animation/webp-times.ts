/** Milliseconds that each frame of a WebP is shown, as the file says them: libvips has times of its own for short ones. */
export function webpTimes(file: Uint8Array): number[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const times: number[] = [];
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.toString('latin1', at, at + 4) === 'ANMF' && at + 24 <= bytes.length)
      times.push(bytes.readUIntLE(at + 20, 3));
    at += 8 + length + (length % 2);
  }
  return times;
}
