import { relative } from 'node:path';
import { printable } from '../../errors.ts';

/** Why one file of several failed. */
export interface FailedFile {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

const HEADINGS = ['failed', 'code', 'why'] as const;

/** What failed and why, a line each below a line of headings; files of the working folder by their names from there. */
export function failuresTable(failures: readonly FailedFile[]): string {
  const rows = [HEADINGS, ...failures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf({ name, code, message }: FailedFile): readonly string[] {
  const [said, named] = [onOneLine(message), `${onOneLine(name)}: `];
  const why = said.startsWith(named) ? said.slice(named.length) : said;
  return [fromHere(name), code, why].map(printable);
}

function onOneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

function fromHere(path: string): string {
  const shorter = relative(process.cwd(), path);
  return shorter === '' || shorter.startsWith('..') || shorter.length > path.length ? path : shorter;
}
