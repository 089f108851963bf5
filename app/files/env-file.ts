import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { errorCode } from './error-code.ts';

/**
 * The variables of the file `.env` in the working folder; none where there is no such file. A folder of that name is one of Python's
 * environments. Windows' programs write such files in UTF-16, or with a mark in front that is no part of the first name.
 * @throws the system's error where the file cannot be read
 */
export function envFile(): Readonly<Record<string, string | undefined>> {
  try {
    const bytes = readFileSync('.env');
    return parseEnv(new TextDecoder(encodingOf(bytes)).decode(bytes));
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(errorCode(error) ?? '')) return {};
    throw error;
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
