import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A tmpfs of a given size; to be unmounted. */
export interface SmallDisk {
  readonly directory: string;
  remount(options: string): void;
  unmount(): void;
}

/** Mounts a disk of `bytes`; undefined where that is not allowed (it takes root) or not possible. */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const directory = join(mkdtempSync(join(tmpdir(), 'hiresfix-disk-')), 'disk');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return {
    directory,
    remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, directory], { stdio: 'ignore' }),
    unmount: () => {
      execFileSync('umount', ['-l', directory], { stdio: 'ignore' });
      rmSync(join(directory, '..'), { recursive: true, force: true });
    },
  };
}
