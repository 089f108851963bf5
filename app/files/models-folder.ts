import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the package lies: sources and built files are both two folders below. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The folder of the weights where none is named: beside package.json in a checkout, where an update of a package that is
 * installed would remove it, in the user's data folder. Never in the working folder.
 */
export function defaultModelsDir(
  packageFolder = PACKAGE,
  { platform, env, home }: Machine = { platform: process.platform, env: process.env, home: homedir() },
): string {
  const isInstalled = packageFolder.split(sep).includes('node_modules');
  return join(isInstalled ? dataFolder({ platform, env, home }) : packageFolder, 'models');
}

/** What a user's data folder depends on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** As the systems have it; on Linux by the XDG Base Directory Specification, which takes no relative paths. */
function dataFolder({ platform, env, home }: Machine): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'hiresfix');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'hiresfix');
  const named = env['XDG_DATA_HOME'] ?? '';
  return join(named.startsWith('/') ? named : join(home, '.local', 'share'), 'hiresfix');
}
