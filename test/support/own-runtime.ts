import { cp, link, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const RUNTIME = 'onnxruntime-node';
const LIBRARIES = join('bin', 'napi-v6', process.platform, process.arch);

/** Onnxruntime's binding: a real library, whose names of others are long enough to be others. */
export const BINDING = join(
  dirname(createRequire(import.meta.url).resolve(`${RUNTIME}/package.json`)),
  LIBRARIES,
  'onnxruntime_binding.node',
);

/**
 * Gives a built program an onnxruntime of its own, into which providers may be put.
 * @param main the entry of the program, which no other test may have: `CommandLine.build({})`
 * @returns the folder of its libraries
 */
export async function ownRuntime(main: string): Promise<string> {
  const modules = join(dirname(main), '..', '..', 'node_modules');
  await rm(modules); // a link
  await mkdir(modules);
  const others = (await readdir(MODULES)).filter((name) => name !== RUNTIME);
  await Promise.all(others.map((name) => symlink(join(MODULES, name), join(modules, name))));
  const own = join(modules, RUNTIME);
  await cp(join(MODULES, RUNTIME), own, { recursive: true, filter: (path) => !path.endsWith('.so.1') });
  const large = 'libonnxruntime.so.1'; // 46 MB, which nobody writes to
  await linkOrCopy(join(MODULES, RUNTIME, LIBRARIES, large), join(own, LIBRARIES, large));
  return join(own, LIBRARIES);
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => cp(from, to));
}

/**
 * Writes a copy of a library that needs others than it does.
 * @param names what it needs in place of what: no name may be longer than the one whose place it takes
 * @param machine the processor that it says it is for, as ELF counts them
 */
export async function renamedLibrary(
  target: string,
  names: Readonly<Record<string, string>>,
  { from = BINDING, machine }: { readonly from?: string; readonly machine?: number } = {},
): Promise<void> {
  const bytes = await readFile(from);
  for (const [old, name] of Object.entries(names)) {
    const at = bytes.indexOf(`\0${old}\0`, 0, 'latin1');
    if (at < 0 || name.length > old.length) throw new Error(`${name} cannot take the place of ${old}`);
    bytes.fill(0, at + 1, at + 1 + old.length).write(name, at + 1, 'latin1');
  }
  if (machine !== undefined) bytes.writeUInt16LE(machine, 18);
  await writeFile(target, bytes);
}
