import type { HiresFixError } from '../errors.ts';
import type { ImageResult } from '../processing/result.ts';
import { makerOf } from '../processing/result.ts';
import { BatchFailedError } from './errors.ts';
import type { InputFile } from './input-files.ts';

/** What has come of the images of a command. */
export interface BatchOutcome<R extends Indexed = ImageResult> {
  readonly files: readonly InputFile[];
  /** By the index of the file, as `failures` are. */
  readonly results: Map<number, R>;
  /** Why single images failed. */
  readonly failures: Map<number, HiresFixError>;
  /** What ended the command before its end, if something did. */
  readonly error?: Error;
}

/** How results are told: all in one JSON document, or each as text. */
export interface BatchReport<R extends Indexed = ImageResult> {
  readonly isJson: boolean;
  /** What the document says of a result beside its input. */
  readonly document: (result: R) => object;
  /** One line, or several, without a line end. */
  readonly text: (result: R, input: string) => string;
}

interface Indexed {
  /** Of the image among the files. */
  readonly index: number;
}

/** How images that were made are told of: where each is, and what was done. */
export const imageReport: Pick<BatchReport, 'document' | 'text'> = {
  document: ({ file, bytes, info }) => ({ output: file, bytes, info }),
  text: ({ file, info }) => `${file}  ${summary(info)}`,
};

/**
 * Prints the results on stdout and, where there are several images, the failures on stderr.
 * @throws what ended the command early, or the failure of the only image, or BatchFailedError
 */
export function reportBatch<R extends Indexed>(
  { files, results, failures, error }: BatchOutcome<R>,
  report: BatchReport<R>,
): void {
  const nameOf = (index: number) => files[index]?.path ?? '';
  const finished = [...results.values()].sort((a, b) => a.index - b.index);
  if (report.isJson) {
    const document = {
      results: finished.map((result) => ({ input: nameOf(result.index), ...report.document(result) })),
      failed: [...failures].map(([index, { code, message }]) => ({ input: nameOf(index), code, message })),
      ...(error && { error: { code: codeOf(error), message: error.message } }),
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    for (const result of finished) process.stdout.write(`${report.text(result, nameOf(result.index))}\n`);
  }
  const [first] = failures.values();
  if (first && (files.length > 1 || error !== undefined)) {
    for (const { message } of failures.values()) process.stderr.write(`hiresfix: ${message}\n`);
  }
  if (error !== undefined) throw error;
  if (first && files.length === 1) throw first;
  if (first) throw new BatchFailedError(`${failures.size} of ${files.length} images failed`);
}

/** What a caller should know of a result beside it, each on a line of its own that is indented. */
export function notesOf({ fallbacks, warnings }: Pick<ImageResult['info'], 'fallbacks' | 'warnings'>): string {
  const told = [...fallbacks.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`), ...warnings];
  return told.map((note) => `\n  note: ${note}`).join('');
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL';
}

function summary(info: ImageResult['info']): string {
  const { input, output, device, seconds } = info;
  const where = device === undefined ? '' : ` on ${device}`;
  const size = `${input.width}x${input.height} -> ${output.width}x${output.height}`;
  return `${size}, ${makerOf(info)}${where}, ${seconds['total'] ?? 0} s${notesOf(info)}`;
}
