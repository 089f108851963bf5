import { lstat, stat } from 'node:fs/promises';
import { errorCode } from '../files/error-code.ts';
import type { ImageShape } from '../imaging/image.ts';
import { extensionOf } from '../options/output-formats.ts';
import type { ResultFormat } from './choose-format.ts';
import { movingFormat, resultFormat } from './choose-format.ts';
import { FileExistsError } from './errors.ts';
import type { ImagesTask, TaskImage } from './tasks.ts';

/** What is known of a result before it is made. */
interface ResultKind {
  /** The format of the image that it is made of. */
  readonly source: string;
  readonly shape: ImageShape;
  /** Whether it has frames; by default it has not. */
  readonly moves?: boolean;
}

/**
 * Where a result of this shape goes, and in what format, decided before any work.
 * @param written (of the last) the results of this task that are written, which no other may replace
 * @param mayReplace (of the last) whether what is there may be this image's own result
 * @throws OutputFormatError, FileExistsError
 */
export async function resultPlace(
  image: TaskImage,
  { source, shape, moves = false }: ResultKind,
  {
    task,
    written,
    mayReplace = false,
  }: { readonly task: ImagesTask; readonly written: ReadonlySet<string>; readonly mayReplace?: boolean },
): Promise<ResultFormat & { readonly file: string }> {
  const { output } = task;
  const { format, warnings } = moves
    ? { format: movingFormat(output.output_format, source, shape), warnings: [] }
    : resultFormat(output.output_format, source, shape, output.lossless);
  const file = image.outputFile ?? `${image.outputStem}.${extensionOf(format)}`;
  if (written.has(file)) throw new FileExistsError(`${file}: another result of this run has that name already`);
  await assertFree(file, task.mayOverwrite === true || mayReplace);
  return { file, format, warnings };
}

/**
 * Refuses a result a place where something is already: a file unless it may be replaced, a folder always. A link that leads
 * nowhere counts as a file: what is written there appears where it leads.
 * @throws FileExistsError; what the system says of a name that no file can have, which would hit the finished result as well
 */
export async function assertFree(file: string, mayOverwrite: boolean): Promise<void> {
  const there = (await lookAt(stat, file)) ?? (await lookAt(lstat, file));
  const isReplaceable = there?.isFile() === true || there?.isSymbolicLink() === true;
  if (there === undefined || (mayOverwrite && isReplaceable)) return;
  if (there.isDirectory()) throw new FileExistsError(`${file}: there is a folder of that name; choose another name`);
  throw new FileExistsError(`${file}: this file already exists; choose another name, or replace it with --overwrite`);
}

async function lookAt(look: typeof stat, file: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await look(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
