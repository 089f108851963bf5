import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * What a command may be said to need after `# needs: `, up to a `;` or a `(`, and what each means; whatever needs none of these is
 * run.
 */
export const NEEDS: Readonly<Record<string, string>> = {
  'a GPU': 'a card of NVIDIA, or its libraries (gigabytes)',
  macOS: 'a Mac',
  'a container engine': 'Docker or another engine, and images from a registry',
  time: 'half an hour or more, in which other commands of CI do the same',
};

export interface ShellCommand {
  /** As it is written, over all its lines, with its comment. */
  readonly text: string;
  /** Of the page, counted from 1. */
  readonly line: number;
  /** What it says that it needs, a key of `NEEDS` where it is right: in its own comment, or in one that stands above all of the block. */
  readonly needs: string | undefined;
}

export interface ShellBlock {
  readonly line: number;
  readonly commands: readonly ShellCommand[];
}

/** The pages of the repository whose commands people copy, relative to it. */
export function pagesWithCommands(): string[] {
  const pages = ['*.md', 'docs/**/*.md', 'models/README.md', 'integrations/**/*.md', 'deploy/**/*.md', 'training/*.md'];
  return globSync(pages, { cwd: ROOT, ignore: ['**/node_modules/**', 'CHANGELOG.md'] }).sort();
}

/** The blocks of one of them. */
export function blocksOfPage(page: string): ShellBlock[] {
  return shellBlocks(readFileSync(join(ROOT, page), 'utf8'));
}

/** The fenced blocks of a page that are for a shell, as commands: a line that is indented, or follows a `\`, goes on with the one before. */
export function shellBlocks(page: string): ShellBlock[] {
  const blocks = page.matchAll(/^( *)```(?:sh|bash|shell|console)\b.*\n([\s\S]*?)^ *```$/gm);
  return [...blocks].map(({ 1: indent = '', 2: text = '', index }) => {
    const line = page.slice(0, index).split('\n').length;
    const lines = text.split('\n').map((each) => (each.startsWith(indent) ? each.slice(indent.length) : each));
    return { line, commands: commandsOf(lines.slice(0, -1), line + 1) };
  });
}

function commandsOf(lines: readonly string[], first: number): ShellCommand[] {
  const needed = needOf(lines[0]?.startsWith('#') === true ? lines[0] : '');
  const commands: { text: string; line: number }[] = [];
  lines.forEach((text, index) => {
    const last = commands.at(-1);
    if (last && (/^\s+\S/.test(text) || last.text.endsWith('\\'))) last.text += `\n${text}`;
    else if (text.trim() !== '' && !text.startsWith('#')) commands.push({ text, line: first + index });
  });
  return commands.map(({ text, line }) => ({ text, line, needs: needOf(text) ?? needed }));
}

function needOf(text: string): string | undefined {
  return /# needs: ([^;(\n]+)/.exec(text)?.[1]?.trim();
}
