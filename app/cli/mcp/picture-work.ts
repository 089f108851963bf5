import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import type { ImageMethodName } from '../../options/methods.ts';
import { METHODS } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { expectation, readBy } from '../../options/values.ts';
import type { WorkProgress } from '../../processing/progress.ts';
import type { ResultInfo } from '../../processing/result.ts';
import { batchPlan, makeFolders } from '../batch-plan.ts';
import { UsageError } from '../errors.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { taskRunner } from '../task-runner.ts';
import type { AllowedRoots } from './allowed-roots.ts';
import { previewOf } from './preview.ts';

/** What works on pictures for a program: here, or by a service; one picture after another. */
export interface PictureWorkOptions {
  readonly config: Config;
  readonly roots: AllowedRoots;
  readonly server?: string | undefined;
}

/** What a program asks for: a picture, where its result goes, and the fields of a method's form. */
export interface AskedPicture {
  readonly input: string;
  readonly output?: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Who is told how far the work is, and who may end it. */
export interface WorkHooks {
  readonly signal: AbortSignal;
  onProgress(progress: WorkProgress): void;
}

/** A result that was written. */
export interface WrittenPicture {
  readonly file: string;
  readonly info: ResultInfo;
  /** A small JPEG in base64. */
  readonly preview: string | undefined;
}

/** Does what an agent asks of pictures, one after the other. */
export class PictureWork {
  readonly #options: PictureWorkOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PictureWorkOptions) {
    this.#options = options;
  }

  /**
   * Makes a picture of a picture, and never replaces a file.
   * @throws UsageError for paths that are not allowed and for bad fields; FileExistsError; what the work fails by
   */
  make(method: Exclude<ImageMethodName, 'faces'>, asked: AskedPicture, hooks: WorkHooks): Promise<WrittenPicture> {
    return this.#inTurn(hooks.signal, async () => {
      const { config, roots } = this.#options;
      const { form, suffix } = METHODS[method];
      const input = await roots.input(asked.input);
      const output = await roots.output(asked.output ?? dirname(input));
      const work = METHODS[method].workOf(parseFields(form, asked.fields), config);
      const files = [{ path: input, relativePath: basename(input) }];
      const { output_format: format = 'auto', ...given } = asked.fields;
      const flags = { ...given, output, suffix, format, overwrite: false, skipExisting: false };
      const { task, failures } = await batchPlan({ files, leftOut: [] }, flags);
      for (const refusal of failures.values()) throw refusal;
      await makeFolders(task);
      const { file, info } = await this.#run(method, asked.fields, { ...work, ...task }, hooks);
      const preview = await previewOf(file, info.output, taskRunner({}, config, { method: 'upscale', fields: {} }));
      return { file, info, preview };
    });
  }

  /** Finds the faces of a picture. @throws as `make` does */
  findFaces({ input, fields }: AskedPicture, hooks: WorkHooks): Promise<unknown> {
    return this.#inTurn(hooks.signal, async () => {
      const { config, roots } = this.#options;
      const path = await roots.input(input);
      const work = METHODS.faces.workOf(parseFields(METHODS.faces.form, fields), config);
      const folder = scratchFolder('faces');
      try {
        const images = [{ file: path, name: path, outputStem: join(folder.path, 'faces') }];
        const { file } = await this.#run('faces', fields, { ...work, images, output: outputOptions.parse({}) }, hooks);
        return JSON.parse(await readFile(file, 'utf8')) as unknown;
      } finally {
        folder.remove();
      }
    });
  }

  async #run(
    method: ImageMethodName,
    fields: Readonly<Record<string, unknown>>,
    task: Parameters<ReturnType<typeof taskRunner>>[0],
    hooks: WorkHooks,
  ): Promise<{ readonly file: string; readonly info: ResultInfo }> {
    const { config, server } = this.#options;
    const run = taskRunner(server === undefined ? {} : { server }, config, { method, fields });
    const results: { readonly file: string; readonly info: ResultInfo }[] = [];
    await run(task, {
      signal: hooks.signal,
      onProgress: (progress) => hooks.onProgress(progress),
      onResult: (result) => results.push(result),
    });
    const [result] = results;
    if (!result) throw new Error(`${method} ended without a result`);
    return result;
  }

  /** Networks take all of a machine: what is asked for at the same time waits. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

function parseFields(form: (typeof METHODS.upscale)['form'], fields: Readonly<Record<string, unknown>>) {
  const parsed = readBy(form, fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? 'fields');
  throw new UsageError(`${name}: ${expectation(issue)}, got ${JSON.stringify(fields[name])}`);
}
