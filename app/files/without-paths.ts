import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Folders that the service's own messages may speak of. Absolute paths. */
export interface ServerFolders {
  readonly modelsDir?: string;
  readonly uploadFolder: string;
  readonly processedFolder: string;
}

/** Where the program lies: sources and built files are both one folder below. */
const PROGRAM = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/**
 * The text with the variables' names in place of the server's folders, for people who ask from elsewhere: `MODELS_DIR/a.pth`.
 * Where on the machine they lie is its owner's business, and in the log.
 */
export function withoutPaths(text: string, { modelsDir, uploadFolder, processedFolder }: ServerFolders): string {
  const named: readonly (readonly [string | undefined, string])[] = [
    [modelsDir, 'MODELS_DIR'],
    [uploadFolder, 'UPLOAD_FOLDER'],
    [processedFolder, 'PROCESSED_FOLDER'],
    [PROGRAM, '(program)'],
    [tmpdir(), '(temporary folder)'],
  ];
  return named
    .flatMap(([folder, name]) => (folder === undefined ? [] : spellings(folder).map((one) => [one, name] as const)))
    .sort(([a], [b]) => b.length - a.length) // of two, one of which lies in the other, the inner first
    .reduce((rest, [folder, name]) => rest.replace(pathPattern(folder), () => name), text);
}

/** A folder's path as it was given, and where links lead. */
function spellings(folder: string): readonly string[] {
  return [...new Set([folder, existsSync(folder) ? realpathSync(folder) : folder])].filter((one) => one !== '/');
}

/** The folder as the beginning of a path, and not as a part of another or of a URL. */
function pathPattern(folder: string): RegExp {
  return new RegExp(`(?<![\\w./-])${folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'g');
}
