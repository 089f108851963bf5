import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { ZipFile } from 'yazl';
import type { Job } from '../jobs/job.ts';
import { downloadName } from './download-name.ts';

/** Pictures are compressed already. */
const STORED = { compress: false, mode: 0o100644 } as const;

/** Answers with all results of a job that has completed as one ZIP, which is written while it is sent; the same job gives the same bytes. */
export async function sendArchive(response: Response, job: Job): Promise<void> {
  const zip = new ZipFile();
  const failed = once(zip, 'error').then(([error]) => {
    throw error;
  });
  const mtime = new Date(job.finishedAt ?? job.createdAt);
  for (const { file, name } of entriesOf(job)) zip.addFile(file, name, { ...STORED, mtime });
  const size = await Promise.race([failed, sizeOf(zip)]);
  const digest = createHash('sha256').update(JSON.stringify(job.results.map(({ index, sha256 }) => [index, sha256])));
  response.attachment(`${job.id}.zip`).set({
    'Content-Type': 'application/zip',
    'Cache-Control': 'private, no-cache',
    'X-Job-Id': job.id,
    ETag: `"${digest.digest('hex')}"`,
    ...(size >= 0 && { 'Content-Length': String(size) }),
  });
  await Promise.race([failed, pipeline(zip.outputStream, response)]);
}

/** Results under the names by which they are saved one by one; of the same names, all but the first get a number. */
function entriesOf({ inputs, method, results }: Job): { readonly file: string; readonly name: string }[] {
  const taken = new Set<string>();
  return results.map(({ index, file }) => {
    const plain = downloadName(inputs[index]?.name ?? '', method, file);
    const extension = extname(plain);
    const base = plain.slice(0, plain.length - extension.length);
    let name = plain;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${base} (${number})${extension}`;
    taken.add(name.toLowerCase());
    return { file, name };
  });
}

/** Of the whole archive, in bytes; negative where it cannot be told. */
function sizeOf(zip: ZipFile): Promise<number> {
  return new Promise((resolve) => {
    const tell = (size?: number): void => resolve(size ?? -1); // its types forget that the size is told
    zip.end({ forceZip64Format: false, comment: '' }, tell);
  });
}
