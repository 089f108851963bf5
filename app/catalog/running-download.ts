import { join } from 'node:path';
import { DOWNLOAD_LIMITS } from './download/download-limits.ts';
import { stampOf } from './installed-file.ts';
import { partialProgress } from './download/partial-file.ts';
import { ProcessLock } from '../files/process-lock.ts';
import type { DownloadProgress } from './download/progress-meter.ts';
import type { RemoteModel } from './remote-model.ts';

/** How far the download of a model is that any process runs at the moment, here or elsewhere; null where none does. */
export async function runningDownload(
  { filename, size }: Pick<RemoteModel, 'filename' | 'size'>,
  directory: string,
): Promise<DownloadProgress | null> {
  const file = join(directory, filename);
  if (!(await ProcessLock.isHeld(`${file}.lock`, DOWNLOAD_LIMITS.lock))) return null;
  const part = await partialProgress(`${file}.part`);
  if (part) return { downloadedBytes: part.received, totalBytes: part.total };
  // What comes as one stream is written from its start, and has no record of what is there.
  return { downloadedBytes: (await stampOf(`${file}.part`))?.size ?? 0, totalBytes: size };
}
