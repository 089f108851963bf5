import { statfs } from 'node:fs/promises';
import { errorCode } from './error-code.ts';

/** Codes by which the system says that nothing can be written, whoever tries: the disk is full, fails, or may be read alone. */
const DISK_FAULTS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);
/** Less is no room for a journal and the folder of a job. */
const LEAST_BYTES = 2 ** 20;

/** Whether an error says that nothing can be written. */
export function isDiskFault(error: unknown): boolean {
  return DISK_FAULTS.has(errorCode(error) ?? '');
}

/** Whether there is room on the disks of some folders; once there was none, for as much as was to be written. */
export class DiskRoom {
  readonly #folders: readonly string[];
  readonly #largestBytes: number;
  #neededBytes = LEAST_BYTES;

  /** @param largestBytes what may be written at once */
  constructor(folders: readonly string[], largestBytes: number) {
    this.#folders = folders;
    this.#largestBytes = largestBytes;
  }

  /** Something could not be written for want of room. */
  ranOut(): void {
    this.#neededBytes = Math.max(LEAST_BYTES, this.#largestBytes);
  }

  async isThere(): Promise<boolean> {
    const free = await Promise.all(this.#folders.map(freeBytes));
    const isThere = free.every((bytes) => bytes >= this.#neededBytes);
    if (isThere) this.#neededBytes = LEAST_BYTES;
    return isThere;
  }
}

/** A folder that is gone has no room; file systems that do not say how large they are, without end. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder);
    return blocks === 0 ? Infinity : bavail * bsize;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 0 : Infinity;
  }
}
