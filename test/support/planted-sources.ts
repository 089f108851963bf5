import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a source becomes before it is compiled. */
export type Patch = (source: string) => string;

/**
 * What the compiler finds wrong in a file of the project, with other sources than lie on the disk.
 * @param patches by the paths of files, below the project's folder
 * @returns the messages, each in one line
 */
export function compilerSays(file: string, patches: Readonly<Record<string, Patch>>): readonly string[] {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, ROOT);
  const host = ts.createCompilerHost(options);
  const patched = new Map(Object.entries(patches).map(([name, patch]) => [ROOT + name, patch]));
  const readFile = host.readFile.bind(host);
  host.readFile = (path) => {
    const source = readFile(path);
    const patch = patched.get(path);
    return source === undefined || !patch ? source : changed(source, patch, path);
  };
  const program = ts.createProgram([ROOT + file], options, host);
  const found = program.getSemanticDiagnostics(program.getSourceFile(ROOT + file));
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ').replace(/\s+/g, ' '));
}

/** A patch that puts text before the first place where `before` stands. */
export function inserting(text: string, before: string): Patch {
  return (source) => source.replace(before, () => text + before);
}

function changed(source: string, patch: Patch, path: string): string {
  const made = patch(source);
  if (made === source) throw new Error(`${path}: the patch changes nothing; it was written for another source`);
  return made;
}
