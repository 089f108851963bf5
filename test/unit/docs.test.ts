import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { globSync } from 'tinyglobby';
import { commandsFor } from '../../app/cli/program-commands.ts';
import { loadConfig } from '../../app/config.ts';
import { NETWORK_UPSCALERS } from '../../app/processing/upscale/upscalers.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', 'models/README.md', 'integrations/**/*.md', 'training/README.md'], {
  cwd: ROOT,
  ignore: ['**/node_modules/**'],
});
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

describe('the pages', () => {
  it.each(PAGES)('%s: what it links to is there, to the heading', (page) => {
    const broken = linksOf(textOf(page)).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('are whole: none has the two sides of a merge in it', () => {
    expect(PAGES.filter((page) => /^(<{7}|={7}|>{7})(?: |$)/m.test(textOf(page)))).toEqual([]);
  });

  it('name upscalers that there are, where they write them as the service does', () => {
    const named = PAGES.flatMap(
      (page) => textOf(page).match(/\b(?:REALESRGAN|REALESRNET|REALESR|COMPACT)_[A-Z0-9_]+/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((name) => !NETWORK_UPSCALERS.has(name))).toEqual([]);
  });

  it('name scripts of npm that there are', () => {
    const named = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/(?:`|^|&& )npm run ([\w:-]+)/gm)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('show commands that there are, with options that they take', async () => {
    const program = new Command('hiresfix').option('--version');
    for (const add of await commandsFor(undefined)) add(program, () => loadConfig({}));
    const lines = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) => commandLines(textOf(page)));
    expect(lines.length).toBeGreaterThan(15);
    expect(lines.flatMap((line) => unknownOf(program, line))).toEqual([]);
  });
});

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Targets of links and pictures that lie in the repository; what stands in code is none. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Lines of shell blocks that call the command, without what comes before and after it. */
function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(/```(?:sh|bash|console)\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
  return lines.flatMap((line) => {
    const [, call] = /(?:^|npx |&& |\$ |\()hiresfix (.*)$/.exec(line.replace(/\s#.*$/, '')) ?? [];
    return call === undefined ? [] : [call.replace(/[)|>&;].*$/, '').trim()];
  });
}

/** What of a call nobody knows: its command, or options. */
function unknownOf(program: Command, line: string): string[] {
  const words = line.split(/\s+/);
  let command = program;
  while (command.commands.length > 0 && words.length > 0 && !words[0]?.startsWith('-')) {
    const next = command.commands.find((one) => one.name() === words[0]);
    if (!next) return [line];
    command = next;
    words.shift();
  }
  const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short]);
  const options = words.filter((word) => /^--?[a-zA-Z]/.test(word)).map((word) => word.split('=')[0] ?? '');
  return options
    .filter((option) => option !== '--help' && !known.includes(option))
    .map((option) => `${line}: ${option}`);
}
