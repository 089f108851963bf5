import { BadFieldError, BodyTooLargeError } from './errors.ts';

/** Characters that `bytes` take in base64, padding included. */
export function encodedLength(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** The bytes of an image that came as base64 or as a data URL. `parameter` names it in messages. */
export function decodeImage(parameter: string, text: string, maxBytes: number): Buffer {
  const start = /^\s*data:[\w.+/-]*(;[\w=.+-]+)*;base64,/i.exec(text)?.[0].length ?? 0;
  const payload = text.slice(start);
  const bytes = decode(payload) ?? decode(payload.replace(/\s+/g, ''));
  if (!bytes || bytes.length === 0) {
    throw new BadFieldError(parameter, 'must be an image as base64 or as a data URL (base64)', text);
  }
  if (bytes.length > maxBytes) throw new BodyTooLargeError(parameter, maxBytes);
  return bytes;
}

/** Node skips what is not base64; then fewer bytes come out than the length stands for. */
function decode(payload: string): Buffer | undefined {
  const digits = payload.length - (payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0);
  const bytes = Buffer.from(payload, 'base64');
  return digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4) ? bytes : undefined;
}
