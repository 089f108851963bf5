import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './user-folders.ts';
import { dataFolder } from './user-folders.ts';

/** Where the package lies: sources and built files are both two folders below. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The folder of the weights where none is named: beside package.json in a checkout, where an update of a package that is
 * installed would remove it, in the user's data folder. Never in the working folder.
 */
export function defaultModelsDir(packageFolder = PACKAGE, machine?: Machine): string {
  const isInstalled = packageFolder.split(sep).includes('node_modules');
  return join(isInstalled ? dataFolder(machine) : packageFolder, 'models');
}
