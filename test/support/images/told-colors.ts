import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outputOptions } from '../../../app/options/output-options.ts';
import type { OutputFormat } from '../../../app/options/output-formats.ts';
import type { ImageResult } from '../../../app/processing/result.ts';
import { createProcessors } from '../../../app/worker-container.ts';
import { upscaleTask, workerConfig } from '../upscale-task.ts';

/** Small pictures that tell their colours in eleven ways: generate.py there says how. */
export const TOLD_COLORS_FOLDER = fileURLToPath(new URL('../../fixtures/told-colors/', import.meta.url));

/** What the four patches of each are in sRGB, by formulas and by LittleCMS. */
export const TOLD_COLORS = JSON.parse(readFileSync(join(TOLD_COLORS_FOLDER, 'expected.json'), 'utf8')) as Readonly<
  Record<string, readonly (readonly number[])[]>
>;

const NAMES = Object.keys(TOLD_COLORS);

/**
 * All the pictures, twice as large by NEAREST, in one format: by the pipeline of a worker, in this process. Files are called like their
 * sources, with the extension of the format behind.
 */
export async function toldColorResults(
  folder: string,
  format: OutputFormat,
  metadata: 'keep' | 'strip',
): Promise<Map<string, ImageResult>> {
  const task = upscaleTask(TOLD_COLORS_FOLDER, NAMES, { upscaler: 'NEAREST', scale: 2 });
  const results = new Map<string, ImageResult>();
  const processors = createProcessors(workerConfig());
  await processors['hires-fix'](
    {
      ...task,
      images: task.images.map((image) => ({ ...image, outputStem: join(folder, image.name) })),
      output: outputOptions.parse({ output_format: format, metadata, quality: 95 }),
    },
    {
      rung: { excludedDevices: [], finished: [] },
      scratch: folder,
      hooks: {
        onImage: () => undefined,
        onPlacing: () => undefined,
        onProgress: () => undefined,
        onRunning: () => undefined,
        onResult: (result) => results.set(NAMES[result.index] ?? '', result),
        onImageFailed: (_index, error) => {
          throw error;
        },
      },
    },
  );
  return results;
}
