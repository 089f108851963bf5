import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environment } from '../../../app/options/environment.ts';

export const CONFIGURATION_PAGE = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../../.env.example', import.meta.url));

const HEAD = `# Configuration

Made from the schema of the environment (\`npm run docs:configuration\`); do not edit.

Every setting is an environment variable, read once at the start; a file \`.env\` in the working folder is read too and gives way to what is
set. An empty value is the default. A bad value stops the start with a line that names it, and so does a variable that only looks like
one of these. \`hiresfix config\` prints each with its value and where it comes from; secrets are not shown. On the command line
only those that work on pictures are read, and an option of the command counts before them.
`;

/** What `docs/configuration.md` has to say: every variable with its default and what it does, in the groups of `.env.example`. */
export function configurationPage(): string {
  return [HEAD, ...groups().map(tableOf)].join('\n');
}

/** Names by group, as blank lines part them in the example file. */
function groups(): string[][] {
  const blocks = readFileSync(EXAMPLE, 'utf8').split(/\n\s*\n/);
  const named = blocks.map((block) => [...block.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name = '']) => name));
  return named.filter((names) => names.length > 0);
}

function tableOf(names: readonly string[]): string {
  const rows = names.map((name) => {
    const schema = environment.shape[name as keyof typeof environment.shape];
    return `| \`${name}\` | ${defaultOf(name)} | ${cell(schema.description ?? '')} |`;
  });
  return ['| Variable | Default | What it does |', '|---|---|---|', ...rows, ''].join('\n');
}

function defaultOf(name: string): string {
  const [, value = ''] = new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(EXAMPLE, 'utf8')) ?? [];
  return value === '' ? 'none' : `\`${value}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
