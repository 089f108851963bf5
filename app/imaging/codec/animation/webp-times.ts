import { riffChunks } from '../riff-chunks.ts';

/** Milliseconds that each frame of a WebP is shown, as the file says them: libvips has times of its own for short ones. */
export function webpTimes(file: Uint8Array): number[] {
  const chunks = [...riffChunks(Buffer.from(file.buffer, file.byteOffset, file.byteLength))];
  return chunks.flatMap(({ type, data }) => (type === 'ANMF' && data.length >= 16 ? [data.readUIntLE(12, 3)] : []));
}
