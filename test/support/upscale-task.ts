import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../app/config.ts';
import { loadConfig } from '../../app/config.ts';
import type { HiresFixTask } from '../../app/processing/tasks.ts';
import { outputOptions } from '../../app/options/output-options.ts';
import { upscaleOptions } from '../../app/options/upscale-options.ts';

/** A configuration of workers: no downloads, no GPU, and of the environment nothing else. */
export function workerConfig(changes: Partial<Config> = {}): Config {
  return { ...loadConfig({ MODEL_DOWNLOADS: 'false', FORCE_CPU: 'true' }), ...changes };
}

/** A task for the files of a folder; results are called `out-0.png` and so on, in the same folder. */
export function upscaleTask(
  folder: string,
  names: readonly string[],
  options: Readonly<Record<string, unknown>>,
): HiresFixTask {
  return {
    kind: 'hires-fix',
    images: names.map((name, index) => ({ file: join(folder, name), name, outputStem: join(folder, `out-${index}`) })),
    options: upscaleOptions.parse(options),
    output: outputOptions.parse({ output_format: 'png', metadata: 'strip' }),
  };
}

/** Folders of scratch files that are left in a folder. */
export function scratchFolders(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.hiresfix-'));
}
