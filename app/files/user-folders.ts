import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a user's folders depend on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

const THIS_MACHINE: Machine = { platform: process.platform, env: process.env, home: homedir() };

/** Where a user's data lies: as the systems have it; on Linux by the XDG Base Directory Specification, which takes no relative paths. */
export function dataFolder({ platform, env, home } = THIS_MACHINE): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'hiresfix');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'hiresfix');
  return join(named(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share'), 'hiresfix');
}

/** Where lies what can be made again; on every system, so that a service that has no home can be given a folder for it. */
export function cacheFolder({ env, home }: Pick<Machine, 'env' | 'home'> = THIS_MACHINE): string {
  return join(named(env['XDG_CACHE_HOME']) ?? join(home, '.cache'), 'hiresfix');
}

function named(folder = ''): string | undefined {
  return folder.startsWith('/') ? folder : undefined;
}
