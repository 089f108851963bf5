import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { commandsFor } from '../../app/cli/program-commands.ts';
import { loadConfig } from '../../app/config.ts';
import { openApiDocument } from '../../app/http/openapi/openapi.ts';
import { blocksOfPage, NEEDS, pagesWithCommands, shellBlocks } from '../support/pages/shell-blocks.ts';

const ROOT = new URL('../../', import.meta.url);
const PAGES = pagesWithCommands();
const SHELLS = ['sh', 'bash', 'shell', 'console'];
/** What a line begins with that a reader types. */
const TYPED = /^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx|npm|hiresfix|curl|docker|pip|python3?|redis-server|systemctl) /m;

/** `npm run soak:docs` runs them; here is told at once what it would stumble over. */
describe('the commands of the pages', () => {
  const commands = PAGES.flatMap((page) =>
    blocksOfPage(page).flatMap((block) =>
      block.commands.map((command) => ({ ...command, at: `${page}:${command.line}` })),
    ),
  );
  const program = new Command('hiresfix').option('--version');
  beforeAll(async () => {
    for (const add of await commandsFor(undefined)) add(program, () => loadConfig({}));
  });

  it('stand in blocks that are for a shell', () => {
    expect(commands.length).toBeGreaterThan(40);
    const others = PAGES.flatMap((page) => otherBlocks(page).filter((block) => TYPED.test(block)));
    expect(others).toEqual([]);
  });

  it.each(PAGES)('%s: are what a shell can read', (page) => {
    const text = blocksOfPage(page).flatMap((block) => block.commands.map((command) => command.text));
    const { status, stderr } = spawnSync('bash', ['-n'], { input: text.join('\n'), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('need nothing, or what is known to be no matter of course', () => {
    const needed = commands.filter(({ needs }) => needs !== undefined);
    expect(needed.length).toBeGreaterThan(5);
    expect(needed.filter(({ needs = '' }) => !(needs in NEEDS))).toEqual([]);
  });

  it('are commands that there are, with options that they take, in blocks and in the text', () => {
    const lines = [...commands.flatMap(({ text }) => callsIn(text)), ...PAGES.flatMap((page) => callsInText(page))];
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.flatMap((line) => unknownOf(program, line))).toEqual([]);
  });

  it('ask for routes that there are', () => {
    const { paths } = openApiDocument('1.0.0') as { paths: object };
    const known = Object.keys(paths).map((path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`));
    const asked = commands.flatMap(({ text, at }) =>
      [...text.matchAll(/curl[\s\S]*?(?:localhost|127\.0\.0\.1):\d+(\/[^\s"'?]*)/g)].map(([, path = '']) => ({
        path,
        at,
      })),
    );
    expect(asked.length).toBeGreaterThan(4);
    expect(asked.filter(({ path }) => !known.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

describe('shellBlocks', () => {
  it('joins what goes on in a further line, and reads what a block and a command say that they need', () => {
    const page = [
      'text',
      '  ```sh',
      '  # needs: a GPU (of NVIDIA); much memory',
      '  one --long \\',
      '  --name     # a remark',
      '',
      '  two |',
      '    three    # needs: macOS',
      '  ```',
      '```js',
      'four();',
      '```',
    ].join('\n');
    expect(shellBlocks(page)).toEqual([
      {
        line: 2,
        commands: [
          { text: 'one --long \\\n--name     # a remark', line: 4, needs: 'a GPU' },
          { text: 'two |\n  three    # needs: macOS', line: 7, needs: 'macOS' },
        ],
      },
    ]);
  });
});

function textOf(page: string): string {
  return readFileSync(new URL(page, ROOT), 'utf8');
}

/** What stands in fences that are not for a shell. */
function otherBlocks(page: string): string[] {
  const blocks = [...textOf(page).matchAll(/^ *```(\S*).*\n([\s\S]*?)^ *```$/gm)];
  return blocks.filter(([, language = '']) => !SHELLS.includes(language)).map(([, , block = '']) => block);
}

/** The calls of `hiresfix` in a command, without what comes before and after each. */
function callsIn(command: string): string[] {
  return command
    .replaceAll('\\\n', ' ')
    .replace(/\s#.*$/, '')
    .split(/&&|\||;|<\(|\$\(/)
    .flatMap((part) => {
      const [, call] = /^\s*(?:[A-Z_]+=\S+ )*(?:source )?(?:npx )?hiresfix (.*)$/s.exec(part) ?? [];
      return call === undefined ? [] : [call.replace(/[)<>].*$/s, '').trim()];
    });
}

/** Those that are told in passing. */
function callsInText(page: string): string[] {
  const prose = textOf(page).replaceAll(/```[\s\S]*?```/g, '');
  const spans = [...prose.matchAll(/`((?:npx )?hiresfix [^`]+)`/g)].map(([, span = '']) =>
    span.replaceAll(/\s+/g, ' '),
  );
  return spans.flatMap(callsIn);
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
