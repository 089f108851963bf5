import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What `fork` takes to run a module as a process of its own. */
export interface ForkedModule {
  readonly entry: string;
  readonly execArgv: readonly string[];
}

const APP = fileURLToPath(new URL('../', import.meta.url));

/**
 * The module `name` beside the one at `url`. From the sources (development, tests) it is TypeScript; where these very sources have been
 * built too, as before all tests, it is what was built, which starts in a quarter of the time.
 * @param name without its ending
 * @param built the folder that the build of the sources has in the place of `app/`
 */
export function forkedModule(url: string, name: string, built = process.env['HIRESFIX_BUILT']): ForkedModule {
  if (!url.endsWith('.ts')) return { entry: fileURLToPath(new URL(`${name}.js`, url)), execArgv: [] };
  const source = fileURLToPath(new URL(`${name}.ts`, url));
  if (built !== undefined) return { entry: join(built, relative(APP, source)).replace(/\.ts$/, '.js'), execArgv: [] };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { entry: source, execArgv: ['--import', loader] };
}

/** The module `name` beside the one at `url`, as a thread runs it. @see forkedModule */
export function threadedModule(url: string, name: string, built = process.env['HIRESFIX_BUILT']): URL {
  const { entry, execArgv } = forkedModule(url, name, built);
  const module = pathToFileURL(entry);
  if (execArgv.length === 0) return module;
  // Node 20 gives threads no loader that was named on the command line.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import { register } from ${loader}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** Lets other processes go before one of ours on the CPU, where the system allows it. */
export function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It runs at our own priority.
  }
}
