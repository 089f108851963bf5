import type { HiresFixError } from '../../errors.ts';
import { printable } from '../../errors.ts';
import type { ImageResult } from '../../processing/result.ts';
import { makerOf } from '../../processing/result.ts';
import { BatchFailedError } from '../errors.ts';
import type { FailedFile } from './failures-table.ts';
import { failuresTable } from './failures-table.ts';
import type { FoundFiles } from '../inputs/input-files.ts';
import { nameOf } from '../inputs/input-files.ts';
import { leftOutLines } from '../inputs/left-out.ts';

/** What has come of the images of a command. */
export interface BatchOutcome<R extends Indexed = ImageResult> extends FoundFiles {
  /** By the index of the file, as `skipped` and `failures` are. */
  readonly results: Map<number, R>;
  /** Results that were there already. */
  readonly skipped: ReadonlyMap<number, string>;
  /** Why single images failed. */
  readonly failures: Map<number, HiresFixError>;
  /** What ended the command before its end, if something did. */
  readonly error?: Error;
}

/** The files of a command, of which some have images in its task. */
export interface WorkedFiles extends FoundFiles, Pick<BatchOutcome, 'skipped'> {
  /** Which file each image of the task is. */
  readonly indices: readonly number[];
  readonly failures: ReadonlyMap<number, HiresFixError>;
}

/** An outcome to which results and failures of a task are added as they come. */
export function openOutcome<R extends Indexed>({
  files,
  leftOut,
  skipped,
  failures,
  indices,
}: WorkedFiles): {
  readonly outcome: BatchOutcome<R>;
  onResult(result: R): void;
  onImageFailed(image: number, failure: HiresFixError): void;
} {
  const outcome: BatchOutcome<R> = { files, leftOut, skipped, results: new Map(), failures: new Map(failures) };
  const fileOf = (image: number): number => indices[image] ?? image;
  return {
    outcome,
    onResult: (result) => outcome.results.set(fileOf(result.index), { ...result, index: fileOf(result.index) }),
    onImageFailed: (image, failure) => outcome.failures.set(fileOf(image), failure),
  };
}

/** How results are told: all in one JSON document, or each as text. */
export interface BatchReport<R extends Indexed = ImageResult> {
  readonly isJson: boolean;
  /** Whether this is one of several reports, each JSON document a line. */
  readonly isOneOfMany?: boolean;
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
  text: ({ file, info }) => `${printable(file)}  ${summary(info)}`,
};

/**
 * Tells what has come of a command, as `tellBatch` does.
 * @throws what ended the command early, or the failure of the only image, or BatchFailedError
 */
export function reportBatch<R extends Indexed>(outcome: BatchOutcome<R>, report: BatchReport<R>): void {
  tellBatch(outcome, report);
  throwFailure(outcome);
}

/**
 * Prints the results on stdout; on stderr what was left out and skipped, and, where there are several images, a table of the
 * failures.
 */
export function tellBatch<R extends Indexed>(outcome: BatchOutcome<R>, report: BatchReport<R>): void {
  const { files, leftOut, skipped, failures, error } = outcome;
  if (report.isJson) {
    process.stdout.write(`${JSON.stringify(documentOf(outcome, report), null, report.isOneOfMany ? undefined : 2)}\n`);
  } else {
    for (const result of byIndex(outcome))
      process.stdout.write(`${report.text(result, nameAt(outcome, result.index))}\n`);
    for (const line of leftOutLines(leftOut)) process.stderr.write(`hiresfix: ${line}\n`);
    if (skipped.size > 0) {
      process.stderr.write(`hiresfix: ${skipped.size} of ${files.length} images skipped, their results are there\n`);
    }
  }
  const isThrown = files.length === 1 && error === undefined && report.isOneOfMany !== true;
  if (failures.size > 0 && !isThrown) process.stderr.write(`${failuresTable(failed(outcome))}\n`);
}

/** @throws what ended a command early, or the failure of its only image, or BatchFailedError */
export function throwFailure({ files, failures, error }: BatchOutcome<Indexed>): void {
  const [first] = failures.values();
  if (error !== undefined) throw error;
  if (first && files.length === 1) throw first;
  if (first) throw new BatchFailedError(`${failures.size} of ${files.length} images failed`);
}

function documentOf<R extends Indexed>(outcome: BatchOutcome<R>, report: BatchReport<R>): object {
  const { skipped, leftOut, error } = outcome;
  return {
    results: byIndex(outcome).map((result) => ({ input: nameAt(outcome, result.index), ...report.document(result) })),
    failed: failed(outcome).map(({ name, code, message }) => ({ input: name, code, message })),
    skipped: [...skipped].map(([index, output]) => ({ input: nameAt(outcome, index), output })),
    left_out: leftOut,
    ...(error && { error: { code: codeOf(error), message: error.message } }),
  };
}

function byIndex<R extends Indexed>({ results }: BatchOutcome<R>): readonly R[] {
  return [...results.values()].sort((a, b) => a.index - b.index);
}

function failed(outcome: BatchOutcome<Indexed>): readonly FailedFile[] {
  const byIndex = [...outcome.failures].sort(([a], [b]) => a - b);
  return byIndex.map(([index, { code, message }]) => ({ name: nameAt(outcome, index), code, message }));
}

function nameAt({ files }: BatchOutcome<Indexed>, index: number): string {
  const file = files[index];
  return file ? nameOf(file) : '';
}

/** What a caller should know of a result beside it, each on a line of its own that is indented. */
export function notesOf(info: Notes): string {
  return notesIn(info)
    .map((note) => `\n  note: ${printable(note)}`)
    .join('');
}

/** The same, each by itself. */
export function notesIn({ fallbacks, warnings }: Notes): readonly string[] {
  return [...fallbacks.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`), ...warnings];
}

type Notes = Pick<ImageResult['info'], 'fallbacks' | 'warnings'>;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL';
}

function summary(info: ImageResult['info']): string {
  const { input, output, device, precision = 'fp32', seconds } = info;
  const where = device === undefined ? '' : ` on ${device}${precision === 'fp32' ? '' : ` in ${precision}`}`;
  const size = `${input.width}x${input.height} -> ${output.width}x${output.height}`;
  return `${size}, ${makerOf(info)}${where}, ${seconds['total'] ?? 0} s${notesOf(info)}`;
}
