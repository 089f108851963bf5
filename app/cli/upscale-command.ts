import { access, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { z } from 'zod';
import type { Config } from '../config.ts';
import type { HiresFixError } from '../errors.ts';
import type { ImageResult } from '../processing/result.ts';
import type { HiresFixTask } from '../processing/tasks.ts';
import { DEVICES, OUTPUT_FORMATS, outputOptions, upscaleOptions } from '../processing/upscale-options.ts';
import { WorkerPool } from '../worker/worker-pool.ts';
import { BatchFailedError, UsageError } from './errors.ts';
import type { InputFile } from './input-files.ts';
import { inputFiles } from './input-files.ts';
import { outputPlan } from './output-paths.ts';
import { ProgressBar } from './progress-bar.ts';

/** The command's flags, as commander names them. */
interface UpscaleFlags extends Readonly<Record<string, unknown>> {
  readonly output: string;
  readonly upscaler: string;
  readonly suffix: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Flags that are options of the upscale under another spelling. */
const OPTION_FLAGS = ['scale', 'width', 'height', 'denoiseStrength', 'tile', 'tilePad', 'prePad', 'device'] as const;

/** Adds `hiresfix upscale` to the program. */
export function addUpscaleCommand(program: Command, loadConfig: () => Config): void {
  program
    .command('upscale')
    .description('Enlarge images with a network or a Pillow filter')
    .argument('<input...>', 'image files, folders or glob patterns')
    .requiredOption('-o, --output <path>', 'a file (for one input), or a folder, which is created')
    .option(
      '-u, --upscaler <type|file>',
      'AUTO, LANCZOS, REALESRGAN_X4PLUS ..., a name in MODELS_DIR, or a checkpoint file',
      'AUTO',
    )
    .option('-s, --scale <factor>', "any factor above 0; by default the model's own, or 2")
    .option('--width <pixels>', 'width of the result; alone it keeps the ratio')
    .option('--height <pixels>', 'height of the result; alone it keeps the ratio')
    .option('--tile <pixels|auto>', 'tile side in input pixels, 0 for the whole image')
    .option('--tile-pad <pixels|auto>', "pixels around a tile; a number means RealESRGANer's own grid")
    .option('--pre-pad <pixels>', 'padding of the image before it is cut')
    .option('--denoise-strength <0..1>', 'REALESR_GENERAL_X4_V3: 1 is the general model, 0 keeps the most grain')
    .addOption(new Option('--device <device>', 'where the network runs').choices(DEVICES))
    .addOption(new Option('--format <format>', 'format of the results').choices(OUTPUT_FORMATS).default('auto'))
    .option('--quality <1..100>', 'of JPEG, WebP and AVIF')
    .addOption(new Option('--metadata <mode>', 'EXIF, XMP, DPI, PNG texts').choices(['keep', 'strip']).default('keep'))
    .option('--suffix <text>', 'put after the name of each result in a folder', '_upscaled')
    .option('--overwrite', 'replace results that are there')
    .option('--json', 'print one JSON document on stdout')
    .action(async (inputs: string[], flags: UpscaleFlags) => {
      await upscale(inputs, flags, loadConfig());
    });
}

async function upscale(inputs: readonly string[], flags: UpscaleFlags, config: Config): Promise<void> {
  const files = await inputFiles(inputs);
  const task = await createTask(files, flags);
  const pool = new WorkerPool(config, { isBackground: false });
  const bar = new ProgressBar(flags.json !== true);
  const failures = new Map<number, HiresFixError>();
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  try {
    const results = await pool.run(task, {
      signal: interrupt.signal,
      onProgress: (progress) => bar.update(progress),
      onImageFailed: (index, error) => failures.set(index, error),
    });
    bar.stop();
    report(files, results, failures, flags.json === true);
  } finally {
    bar.stop();
    await pool.close();
  }
}

async function createTask(files: readonly InputFile[], flags: UpscaleFlags): Promise<HiresFixTask> {
  const given = OPTION_FLAGS.map((flag) => [toSnakeCase(flag), flags[flag]] as const);
  const modelFile = await checkpointPath(flags.upscaler);
  const options = parse(upscaleOptions, {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    ...(modelFile === undefined ? { upscaler: flags.upscaler } : {}),
  });
  const asked = parse(outputOptions, {
    output_format: flags['format'],
    quality: flags['quality'],
    metadata: flags['metadata'],
  });
  const plan = await outputPlan(files, flags.output, { suffix: flags.suffix, format: asked.output_format });
  const images = plan.paths.map((path, index) => {
    const input = files[index]?.path ?? '';
    return { file: input, name: input, ...path };
  });
  await Promise.all(images.map(({ outputStem }) => mkdir(dirname(outputStem), { recursive: true })));
  return {
    kind: 'hires-fix',
    images,
    options,
    ...(modelFile === undefined ? {} : { modelFile }),
    output: { ...asked, output_format: plan.format },
    mayOverwrite: flags.overwrite === true,
  };
}

/** The upscaler as the path of a checkpoint, where there is such a file. */
async function checkpointPath(upscaler: string): Promise<string | undefined> {
  const isPath = /[\\/]/.test(upscaler) || /\.(pth|pt|ckpt|safetensors)$/i.test(upscaler);
  if (!isPath) return undefined;
  const path = resolve(upscaler);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists && /[\\/]/.test(upscaler)) throw new UsageError(`--upscaler: there is no file ${upscaler}`);
  return exists ? path : undefined; // else it may be a file's name in MODELS_DIR
}

/** @throws UsageError which names the flag as it is typed */
function parse<T extends z.ZodType>(schema: T, values: unknown): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  const came = JSON.stringify((values as Record<string, unknown>)[name]);
  const flag = name === 'output_format' ? 'format' : name.replaceAll('_', '-');
  throw new UsageError(`--${flag}: ${issue?.message ?? 'bad value'}, got ${came}`);
}

function toSnakeCase(flag: string): string {
  return flag.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function report(
  files: readonly InputFile[],
  results: readonly ImageResult[],
  failures: ReadonlyMap<number, HiresFixError>,
  isJson: boolean,
): void {
  const nameOf = (index: number) => files[index]?.path ?? '';
  if (isJson) {
    const document = {
      results: results.map(({ index, file, bytes, info }) => ({ input: nameOf(index), output: file, bytes, info })),
      failed: [...failures].map(([index, { code, message }]) => ({ input: nameOf(index), code, message })),
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    for (const { file, info } of results) process.stdout.write(`${file}  ${summary(info)}\n`);
  }
  const [first] = failures.values();
  if (!first) return;
  if (files.length === 1) throw first;
  for (const { message } of failures.values()) process.stderr.write(`hiresfix: ${message}\n`);
  throw new BatchFailedError(`${failures.size} of ${files.length} images failed`);
}

function summary(info: ImageResult['info']): string {
  const { input, output, upscaler, device, seconds, fallbacks, warnings } = info;
  const told = [...fallbacks.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`), ...warnings];
  const where = device === undefined ? '' : ` on ${device}`;
  const size = `${input.width}x${input.height} -> ${output.width}x${output.height}`;
  const line = `${size}, ${upscaler}${where}, ${seconds['total'] ?? 0} s`;
  return [line, ...told.map((note) => `note: ${note}`)].join('\n  ');
}
