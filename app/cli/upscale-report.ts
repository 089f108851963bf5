import type { HiresFixError } from '../errors.ts';
import type { ImageResult } from '../processing/result.ts';
import { makerOf } from '../processing/result.ts';
import { BatchFailedError } from './errors.ts';
import type { InputFile } from './input-files.ts';

/** What has come of the images of a command. */
export interface BatchOutcome {
  readonly results: Map<number, ImageResult>;
  /** Why single images failed. */
  readonly failures: Map<number, HiresFixError>;
}

/**
 * Prints what was made, as one JSON document or a line each.
 * @param error what ended the command before its end, if something did
 * @throws that error, or the failure of the only image, or BatchFailedError
 */
export function reportOutcome(
  files: readonly InputFile[],
  { results, failures }: BatchOutcome,
  { isJson, error }: { readonly isJson: boolean; readonly error?: Error | undefined },
): void {
  const nameOf = (index: number) => files[index]?.path ?? '';
  const finished = [...results.values()].sort((a, b) => a.index - b.index);
  if (isJson) {
    const document = {
      results: finished.map(({ index, file, bytes, info }) => ({ input: nameOf(index), output: file, bytes, info })),
      failed: [...failures].map(([index, { code, message }]) => ({ input: nameOf(index), code, message })),
      ...(error && { error: { code: codeOf(error), message: error.message } }),
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    for (const { file, info } of finished) process.stdout.write(`${file}  ${summary(info)}\n`);
  }
  const [first] = failures.values();
  if (first && (files.length > 1 || error !== undefined)) {
    for (const { message } of failures.values()) process.stderr.write(`hiresfix: ${message}\n`);
  }
  if (error !== undefined) throw error;
  if (first && files.length === 1) throw first;
  if (first) throw new BatchFailedError(`${failures.size} of ${files.length} images failed`);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL';
}

function summary(info: ImageResult['info']): string {
  const { input, output, device, seconds, fallbacks, warnings } = info;
  const told = [...fallbacks.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`), ...warnings];
  const where = device === undefined ? '' : ` on ${device}`;
  const size = `${input.width}x${input.height} -> ${output.width}x${output.height}`;
  const line = `${size}, ${makerOf(info)}${where}, ${seconds['total'] ?? 0} s`;
  return [line, ...told.map((note) => `note: ${note}`)].join('\n  ');
}
