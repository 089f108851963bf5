import type { Command } from 'commander';
import type { Setting } from '../settings.ts';
import { currentSettings } from '../settings.ts';
import { addExamples } from '../image-arguments.ts';

const EXAMPLES = ['config', 'config --json'];

/** Adds `hiresfix config` to the program. */
export function addConfigCommand(program: Command): void {
  const command = program
    .command('config')
    .description('Show every setting, its value and its source: the default, .env or the environment')
    .option('--json', 'print one JSON document on stdout');
  addExamples(command, EXAMPLES).action(({ json }: { readonly json?: boolean }) => {
    const settings = currentSettings();
    process.stdout.write(`${json === true ? JSON.stringify(settings, null, 2) : tableOf(settings)}\n`);
  });
}

function tableOf(settings: readonly Setting[]): string {
  const rows = settings.map(({ name, value, source }) => [name, textOf(value), source] as const);
  const [names, values] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const widest = Math.min(values ?? 0, 40);
  return rows
    .map(([name, value, source]) => `${name.padEnd(names ?? 0)}  ${value.padEnd(widest)}  ${source}`)
    .join('\n');
}

function textOf(value: Setting['value']): string {
  if (value === null) return '(none)';
  if (typeof value !== 'object') return String(value);
  return value.length === 0 ? '(none)' : value.join(',');
}
