import { open, stat } from 'node:fs/promises';
import { SNIFF_BYTES, sniffFormat } from '../imaging/codec/sniff-format.ts';
import type { OutputFormat } from '../options/output-formats.ts';
import { extensionOf, isOutputFormat } from '../options/output-formats.ts';
import type { OutputOptions } from '../options/output-options.ts';
import type { InputFile } from './inputs/input-files.ts';

/** Where the result of an input would go. */
export interface WantedResult {
  readonly stem: string;
  /** The file that is expected to come of it. */
  readonly file: string;
  readonly format: OutputOptions['output_format'];
  /** Whether a path is where the result of another input goes. */
  readonly isOfAnother: (file: string) => boolean;
}

/**
 * The result of an input, where it is there and no older than the input. Results are put in place when they are whole, so one
 * that is there is whole.
 */
export async function finishedResult(
  { path }: InputFile,
  { stem, file, format, isOfAnother }: WantedResult,
): Promise<string | undefined> {
  const input = await stat(path).catch(() => undefined);
  if (!input) return undefined;
  const isFinished = async (result: string): Promise<boolean> => {
    const there = await stat(result).catch(() => undefined);
    return there?.isFile() === true && there.size > 0 && there.mtimeMs >= input.mtimeMs;
  };
  if (await isFinished(file)) return file;
  if (format !== 'auto') return undefined;
  for (const other of await otherFormats(path)) {
    const result = `${stem}.${extensionOf(other)}`;
    if (!isOfAnother(result) && (await isFinished(result))) return result;
  }
  return undefined;
}

/** What `auto` may have made of a file, whatever its name: its own format, or PNG where that cannot hold the result. */
async function otherFormats(path: string): Promise<readonly OutputFormat[]> {
  const own = await formatOfContent(path).catch(() => 'png');
  return [...new Set(isOutputFormat(own) ? ([own, 'png'] as const) : (['png'] as const))];
}

async function formatOfContent(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return sniffFormat(buffer.subarray(0, bytesRead), path);
  } finally {
    await file.close();
  }
}
