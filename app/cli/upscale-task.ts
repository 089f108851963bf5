import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { HiresFixTask } from '../processing/tasks.ts';
import { outputOptions, upscaleOptions } from '../processing/upscale-options.ts';
import { UsageError } from './errors.ts';
import type { InputFile } from './input-files.ts';
import { outputPlan } from './output-paths.ts';

/** The command's flags, as commander names them. */
export interface UpscaleFlags extends Readonly<Record<string, unknown>> {
  readonly output: string;
  readonly upscaler: string;
  readonly suffix: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Flags that are options of the upscale, or of its result, under another spelling. */
const UPSCALE_FLAGS = ['scale', 'width', 'height', 'denoiseStrength', 'tile', 'tilePad', 'prePad', 'device'] as const;
const OUTPUT_FLAGS = { output_format: 'format', quality: 'quality', metadata: 'metadata' } as const;

/**
 * What the flags ask to be done with `files`; the folders of the results are made.
 * @throws UsageError, FileExistsError
 */
export async function createTask(files: readonly InputFile[], flags: UpscaleFlags): Promise<HiresFixTask> {
  const modelFile = flags.server === undefined ? await checkpointPath(flags.upscaler) : undefined;
  const { upscaler, ...asked } = givenOptions(flags);
  const options = parse(upscaleOptions, modelFile === undefined ? { ...asked, upscaler } : asked);
  const output = parse(outputOptions, asked);
  const plan = await outputPlan(files, flags.output, {
    suffix: flags.suffix,
    format: output.output_format,
    mayOverwrite: flags.overwrite === true,
  });
  const images = plan.paths.map((path, index) => {
    const input = files[index]?.path ?? '';
    return { file: input, name: input, ...path };
  });
  for (const folder of new Set(images.map(({ outputStem }) => dirname(outputStem)))) await makeFolder(folder);
  return {
    kind: 'hires-fix',
    images,
    options,
    ...(modelFile === undefined ? {} : { modelFile }),
    output: { ...output, output_format: plan.format },
    mayOverwrite: flags.overwrite === true,
  };
}

/** The options that were given, under the names that `POST /upscale` has for them. */
export function givenOptions(flags: UpscaleFlags): Readonly<Record<string, unknown>> {
  const named = [
    ...UPSCALE_FLAGS.map((flag) => [toSnakeCase(flag), flags[flag]] as const),
    ...Object.entries(OUTPUT_FLAGS).map(([name, flag]) => [name, flags[flag]] as const),
  ];
  return {
    upscaler: flags.upscaler,
    ...Object.fromEntries(named.filter(([, value]) => value !== undefined)),
  };
}

/** The upscaler as the path of a checkpoint, where there is such a file; else it is a name, of a file in MODELS_DIR it may be. */
async function checkpointPath(upscaler: string): Promise<string | undefined> {
  if (!/[\\/]/.test(upscaler) && !/\.(pth|pt|ckpt|safetensors)$/i.test(upscaler)) return undefined;
  const path = resolve(upscaler);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) {
    throw new UsageError(`--upscaler: expected a checkpoint file, ${upscaler} is a folder`);
  }
  return there && path;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--output: the folder ${folder} cannot be made (${detail})`, { cause });
  }
}

/** @throws UsageError which names the flag as it is typed, what was expected and what came */
function parse<T extends z.ZodType>(schema: T, values: Readonly<Record<string, unknown>>): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  const flag = name === 'output_format' ? 'format' : name.replaceAll('_', '-');
  const expected = issue ? expectation(issue).replace(`${name} `, '') : 'is not valid';
  throw new UsageError(`--${flag}: ${expected}, got ${JSON.stringify(values[name])}`);
}

/** `auto` or a number comes as a union, whose own message says nothing. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return issue.message;
  const [inner] = issue.errors.flat().filter(({ code }) => code !== 'invalid_value');
  return inner ? expectation(inner).replace('must be', 'must be auto or') : issue.message;
}

function toSnakeCase(flag: string): string {
  return flag.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
