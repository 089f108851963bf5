import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JscConfig } from '@swc/core';
import { transform } from '@swc/core';
import type { Patch } from './planted-sources.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The types of swc do not know that it can write `.js` where a source says `.ts`. */
const JAVASCRIPT = {
  target: 'es2023',
  parser: { syntax: 'typescript' },
  rewriteRelativeImportExtensions: true,
} as JscConfig;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUNDLER = join(ROOT, 'scripts', 'bundle-worker.mjs');
const BUILDS = join(ROOT, 'node_modules', '.cache', 'hiresfix');
const OLD_MS = 86_400_000;

/** The program as it is shipped: JavaScript, which starts in half the time that the sources take. */
export interface BuiltProgram {
  /** The entry of the command line. */
  readonly main: string;
  remove(): Promise<void>;
}

/**
 * Compiles the sources as they are now, without looking at types, into a folder of its own.
 * @param patches what some of them become before that, by their paths below `app/`
 */
export async function buildProgram(patches: Readonly<Record<string, Patch>> = {}): Promise<BuiltProgram> {
  const folder = await temporaryFolder();
  await compileInto(folder.path, patches);
  return { main: join(folder.path, 'dist', 'cli', 'main.js'), remove: () => folder.remove() };
}

/** The build that all tests share, which nobody may change; without one, as outside of Jest, a build of its own. */
export async function sharedProgram(): Promise<BuiltProgram> {
  const built = process.env['HIRESFIX_BUILT'];
  if (built === undefined) return buildProgram();
  return { main: join(built, 'cli', 'main.js'), remove: () => Promise.resolve() };
}

/**
 * Compiles the sources for all tests, as they are shipped: the worker is one file. What is there already for these very sources stays.
 * @returns the folder that stands for `app/`
 */
export async function buildShared(): Promise<string> {
  const folder = join(BUILDS, await digestOfSources());
  if (!existsSync(folder)) {
    await removeOld();
    const making = `${folder}.${process.pid}`;
    await mkdir(making, { recursive: true });
    await compileInto(making, {});
    await promisify(execFile)(process.execPath, [BUNDLER, join(making, 'dist/')]);
    for (const name of ['web', 'redoc']) await symlink(join(ROOT, 'dist', name), join(making, 'dist', name));
    await rename(making, folder).catch(() => rm(making, { recursive: true })); // another run was first
  }
  return join(folder, 'dist');
}

async function compileInto(folder: string, patches: Readonly<Record<string, Patch>>): Promise<void> {
  for (const name of ['package.json', 'config', 'models', 'node_modules']) {
    await symlink(join(ROOT, name), join(folder, name));
  }
  const files = await sources();
  await Promise.all(files.map((file) => compile(file, join(folder, 'dist', file), patches[file])));
}

/** Below `app/`, without the page of the dashboard, which is built by another tool. */
async function sources(): Promise<readonly string[]> {
  const files = await readdir(join(ROOT, 'app'), { recursive: true });
  return files.filter((file) => file.endsWith('.ts') && !file.startsWith('web/')).sort();
}

async function digestOfSources(): Promise<string> {
  const files = [...(await sources()).map((file) => join(ROOT, 'app', file)), BUNDLER, join(ROOT, 'package-lock.json')];
  const hash = createHash('sha256').update(JAVASCRIPT.target ?? '');
  for (const file of files) hash.update(file).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Builds of other sources, unless a run of the tests may still be using them. */
async function removeOld(): Promise<void> {
  if (!existsSync(BUILDS)) return;
  for (const name of await readdir(BUILDS)) {
    const { mtimeMs } = await stat(join(BUILDS, name));
    if (Date.now() - mtimeMs > OLD_MS) await rm(join(BUILDS, name), { recursive: true, force: true });
  }
}

async function compile(file: string, target: string, patch: Patch = (source) => source): Promise<void> {
  const { code } = await transform(patch(await readFile(join(ROOT, 'app', file), 'utf8')), {
    swcrc: false,
    module: { type: 'es6' },
    jsc: JAVASCRIPT,
  });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target.replace(/\.ts$/, '.js'), code);
}
