import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputOptions } from '../../options/output-options.ts';
import { upscaleOptions } from '../../options/upscale-options.ts';
import type { Size } from '../../processing/result.ts';
import { scratchFolder } from '../scratch-folder.ts';
import type { TaskRunner } from '../task-runner.ts';

/** Models look at pictures this large, and programs cut messages off at 1 MB, which base64 fills by a third. */
const LONGEST_SIDE = 1024;
const MAX_BYTES = 700_000;
const QUALITIES = [80, 50, 20] as const;

/** A small JPEG of a picture, in base64; none where even the smallest is too large. */
export async function previewOf(file: string, size: Size, run: TaskRunner): Promise<string | undefined> {
  const folder = scratchFolder('preview');
  const isSmall = Math.max(size.width, size.height) <= LONGEST_SIDE;
  const asked = isSmall ? { scale: 1 } : { width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside' };
  try {
    for (const quality of QUALITIES) {
      const outputFile = join(folder.path, `${quality}.jpg`);
      await run(
        {
          kind: 'hires-fix',
          images: [{ file, name: file, outputStem: join(folder.path, String(quality)), outputFile }],
          options: upscaleOptions.parse({ upscaler: 'LANCZOS', is_face_enhance: false, ...asked }),
          output: outputOptions.parse({ output_format: 'jpeg', quality, metadata: 'strip' }),
        },
        {},
      );
      const bytes = await readFile(outputFile);
      if (bytes.length <= MAX_BYTES) return bytes.toString('base64');
    }
    return undefined;
  } finally {
    folder.remove();
  }
}
