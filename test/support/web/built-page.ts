import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const VITE = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');

/** Builds the dashboard's page where a source is younger than it: a test of a page of before says nothing. */
export async function buildPage(): Promise<void> {
  const built = await stat(join(ROOT, 'dist', 'web', 'index.html')).catch(() => undefined);
  if (built && (await youngestSource()) <= built.mtimeMs) return;
  await promisify(execFile)(process.execPath, [VITE, 'build', '--logLevel', 'warn'], { cwd: ROOT });
}

/** When any file below `app/` was last changed, in ms: the page takes from other rooms too. */
async function youngestSource(): Promise<number> {
  const entries = await readdir(join(ROOT, 'app'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return Math.max(...(await Promise.all(files)).map(({ mtimeMs }) => mtimeMs));
}
