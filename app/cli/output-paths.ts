import { stat } from 'node:fs/promises';
import { dirname, extname, join, parse, resolve } from 'node:path';
import { formatOfExtension } from '../processing/output-format.ts';
import type { OutputOptions } from '../processing/upscale-options.ts';
import { UsageError } from './errors.ts';
import type { InputFile } from './input-files.ts';

/** Where one result goes: a fixed path, or a path whose extension the format decides. */
export interface OutputPath {
  readonly outputStem: string;
  readonly outputFile?: string;
}

export interface OutputPlan {
  readonly paths: readonly OutputPath[];
  /** The format that a fixed path's extension asks for; else what was asked. */
  readonly format: OutputOptions['output_format'];
}

/**
 * One input and a target with an image's extension: that file. Otherwise the target is a folder, and results are called
 * `{base}{suffix}.{ext}`, below the same folders as their inputs.
 * @throws UsageError where two inputs would have one result, or extension and format contradict each other
 */
export async function outputPlan(
  inputs: readonly InputFile[],
  target: string,
  { suffix, format }: { readonly suffix: string; readonly format: OutputOptions['output_format'] },
): Promise<OutputPlan> {
  const named = formatOfExtension(extname(target));
  const isFolder = await stat(target).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (inputs.length === 1 && named !== undefined && !isFolder) {
    if (format !== 'auto' && format !== named) {
      throw new UsageError(
        `--format ${format} contradicts the name ${target}: expected one that ends as ${format} files do`,
      );
    }
    const outputFile = resolve(target);
    return { paths: [{ outputStem: join(dirname(outputFile), parse(outputFile).name), outputFile }], format: named };
  }
  const paths = inputs.map(({ relativePath }) => {
    const { dir, name } = parse(relativePath);
    return { outputStem: resolve(target, dir, `${name}${suffix}`) };
  });
  assertDistinct(inputs, paths);
  return { paths, format };
}

function assertDistinct(inputs: readonly InputFile[], paths: readonly OutputPath[]): void {
  const owners = new Map<string, InputFile>();
  paths.forEach(({ outputStem }, index) => {
    const input = inputs[index];
    const other = owners.get(outputStem);
    if (input && other) {
      throw new UsageError(`${other.path} and ${input.path} would both become ${outputStem}: run them separately`);
    }
    if (input) owners.set(outputStem, input);
  });
}
