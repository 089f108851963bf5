import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Job, JobRequest, JobResult } from '../../app/jobs/job.ts';
import { ANYONE, newJobId } from '../../app/jobs/job.ts';
import type { JobFiles } from '../../app/jobs/job-files.ts';
import { outputOptions } from '../../app/options/output-options.ts';
import { upscaleOptions } from '../../app/options/upscale-options.ts';

/** An upscale of one image, whose bytes are where `files` keeps those of inputs. */
export async function upscaleRequest(
  files: Pick<JobFiles, 'input'>,
  changes: Partial<JobRequest> = {},
  bytes: string | Buffer = 'image',
): Promise<JobRequest> {
  const id = newJobId();
  const file = files.input(id, 0);
  await writeFile(file, bytes);
  return {
    id,
    caller: ANYONE,
    method: 'upscale',
    inputs: [{ file, name: 'photo.png', sha256: 'i' }],
    work: { kind: 'hires-fix', options: upscaleOptions.parse({}) },
    output: outputOptions.parse({}),
    warnings: [],
    ...changes,
  };
}

/** What a worker would have written of a job's first image, and says of it. */
export async function writtenResult(
  files: Pick<JobFiles, 'resultStem'>,
  job: Job,
  text = 'result',
): Promise<JobResult> {
  const file = `${files.resultStem(job, 0)}.png`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return {
    index: 0,
    file,
    bytes: text.length,
    sha256: text,
    info: { format: 'png', fallbacks: [] },
  } as unknown as JobResult;
}
