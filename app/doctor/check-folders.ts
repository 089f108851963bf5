import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config.ts';
import type { Finding, Problem } from './finding.ts';

/** A folder of the service, which is made when it is first needed. */
export interface FolderReport {
  /** The variable that names it. */
  readonly variable: string;
  readonly path: string;
  readonly is_there: boolean;
  /** Whether files can be made in it, or it can be made. */
  readonly is_writable: boolean;
  /** In bytes, on its disk; null where the system does not say. */
  readonly free_bytes: number | null;
}

type Folders = Pick<Config, 'modelsDir' | 'uploadFolder' | 'processedFolder' | 'modelDownloads'>;

/** Less is no room for a picture and its result, or a model. */
const LEAST_BYTES = 100e6;

/** Whether the folders can be used, by looking alone: nothing is made or written. */
export async function checkFolders(config: Folders): Promise<Finding<readonly FolderReport[]>> {
  const folders = [
    { variable: 'MODELS_DIR', path: config.modelsDir, isWritten: config.modelDownloads },
    { variable: 'UPLOAD_FOLDER', path: config.uploadFolder, isWritten: true },
    { variable: 'PROCESSED_FOLDER', path: config.processedFolder, isWritten: true },
  ];
  const looks = await Promise.all(
    folders.map(async ({ isWritten, ...folder }) => {
      const found = await lookAt(folder);
      return { found, problems: isWritten ? problemsOf(found) : [] };
    }),
  );
  return { found: looks.map(({ found }) => found), problems: looks.flatMap(({ problems }) => problems) };
}

async function lookAt({ variable, path }: Pick<FolderReport, 'variable' | 'path'>): Promise<FolderReport> {
  const there = await nearest(path);
  const [isFolder, isAllowed] = [
    (await stat(there).catch(() => undefined))?.isDirectory() === true,
    await access(there, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    ),
  ];
  const free = await statfs(there).catch(() => undefined);
  const freeBytes = free === undefined || free.blocks === 0 ? null : free.bavail * free.bsize;
  const [isThere, isWritable] = [isFolder && there === path, isFolder && isAllowed];
  return { variable, path, is_there: isThere, is_writable: isWritable, free_bytes: freeBytes };
}

/** The path itself, or the lowest above it that there is. */
async function nearest(path: string): Promise<string> {
  const above = dirname(path);
  const there = await stat(path).catch(() => undefined);
  return there || above === path ? path : nearest(above);
}

function problemsOf({ variable, path, is_there: isThere, is_writable, free_bytes: free }: FolderReport): Problem[] {
  const owner = 'give it to the user that hiresfix runs as, or name another';
  const remedy = variable === 'MODELS_DIR' ? `${owner}; MODEL_DOWNLOADS=false does without writing there` : owner;
  const cannot = isThere ? 'cannot be written to' : 'cannot be made';
  if (!is_writable) return [{ is_error: true, problem: `${variable}: ${path} ${cannot}`, remedy }];
  if (free === null || free >= LEAST_BYTES) return [];
  const room = `${Math.floor(free / 1e6)} MB`;
  return [{ is_error: true, problem: `${variable}: the disk of ${path} has ${room} left`, remedy: 'free some space' }];
}
