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

/** A job that has completed, and the folder of the archive that its results go into; empty for none. */
export interface ArchivedJob {
  readonly job: Job;
  readonly folder: string;
}

/**
 * Answers with all results of some jobs as one ZIP, which is written while it is sent; the same jobs give the same bytes. A caller who
 * has them is told so.
 * @param name of the archive
 */
export async function sendArchive(response: Response, jobs: readonly ArchivedJob[], name: string): Promise<void> {
  const digest = createHash('sha256').update(JSON.stringify(jobs.map(contentOf)));
  response.set({ 'Cache-Control': 'private, no-cache', ETag: `"${digest.digest('hex')}"` });
  if (response.req.fresh) {
    response.status(304).end();
    return;
  }
  const zip = new ZipFile();
  const failed = once(zip, 'error').then(([error]) => {
    throw error;
  });
  for (const { file, name: path, mtime } of entriesOf(jobs)) zip.addFile(file, path, { ...STORED, mtime });
  const size = await Promise.race([failed, sizeOf(zip)]);
  response.attachment(name).set({
    'Content-Type': 'application/zip',
    ...(size >= 0 && { 'Content-Length': String(size) }),
  });
  await Promise.race([failed, pipeline(zip.outputStream, response)]);
}

function contentOf({ job: { results }, folder }: ArchivedJob): unknown {
  return [folder, results.map(({ index, sha256 }) => [index, sha256])];
}

interface Entry {
  readonly file: string;
  readonly name: string;
  readonly mtime: Date;
}

/** Results under the names by which they are saved one by one; of the same names, all but the first get a number. */
function entriesOf(jobs: readonly ArchivedJob[]): readonly Entry[] {
  const taken = new Set<string>();
  return jobs.flatMap(({ job: { inputs, method, results, finishedAt, createdAt }, folder }) =>
    results.map(({ index, file }) => {
      const plain = safeFolder(folder) + downloadName(inputs[index]?.name ?? '', method, file);
      const extension = extname(plain);
      const base = plain.slice(0, plain.length - extension.length);
      let name = plain;
      for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${base} (${number})${extension}`;
      taken.add(name.toLowerCase());
      return { file, name, mtime: new Date(finishedAt ?? createdAt) };
    }),
  );
}

/** With a slash at its end, and nothing in it that leads out of the archive. */
function safeFolder(folder: string): string {
  const parts = folder.split(/[/\\]/).map((part) => part.replace(/[\p{Cc}\p{Cf}\p{Cs}<>:"|?*]/gu, '').trim());
  const safe = parts.filter((part) => !/^\.*$/.test(part));
  return safe.map((part) => `${part}/`).join('');
}

/** Of the whole archive, in bytes; negative where it cannot be told. */
function sizeOf(zip: ZipFile): Promise<number> {
  return new Promise((resolve) => {
    const tell = (size?: number): void => resolve(size ?? -1); // its types forget that the size is told
    zip.end({ forceZip64Format: false, comment: '' }, tell);
  });
}
