/**
 * `npm run agreement:pictures`: the pictures that people reported as going wrong (recipes.py), each by the built command line and by
 * `POST /upscale` of a running server, in every format that is asked of it. Both ways have to give the same bytes or the same refusal, and
 * the value that the recipe has. Takes about a minute; needs a Python with Pillow 13 and numpy, named by $HIRESFIX_PYTHON or as python3.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImageResult } from '../../../app/processing/result.ts';
import { CommandLine } from '../../support/command-line.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Case {
  readonly file: string;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly formats: readonly string[];
}
/** What came of one case in one format: a file, or none, and what was said of it. */
interface Outcome {
  readonly file: string | null;
  readonly said: string;
}
/** Of one case, by format. */
interface Outcomes {
  readonly cli: Record<string, Outcome>;
  readonly http: Record<string, Outcome>;
}

const PYTHON = process.env['HIRESFIX_PYTHON'] ?? 'python3';
const SCRIPT = fileURLToPath(new URL('field_pictures.py', import.meta.url));
const folder = await temporaryFolder();
python('make');
const cases = JSON.parse(readFileSync(join(folder.path, 'cases.json'), 'utf8')) as readonly Case[];
const program = await CommandLine.build();
mkdirSync(join(folder.path, 'models'));
const server = await serveProcess(
  folder.path,
  { FORCE_CPU: 'true', MODELS_DIR: join(folder.path, 'models') },
  program.main,
);
const told = new Map<string, Outcomes>(cases.map(({ name }) => [name, { cli: {}, http: {} }]));
await Promise.all([runAll(), postAll()]);
await server.stop();
await program.remove();
const differing = cases.flatMap(({ name, formats }) => formats.filter((format) => !agree(name, format)));
writeFileSync(join(folder.path, 'told.json'), JSON.stringify(Object.fromEntries(told)));
process.exitCode = python('check') || differing.length > 0 ? 1 : 0;
console.log(`${differing.length} results differ between the two`);
await folder.remove();

function python(command: 'make' | 'check'): number {
  return spawnSync(PYTHON, [SCRIPT, command, folder.path], { stdio: 'inherit' }).status ?? 1;
}

/** The command line, one run for all the pictures of which the same is asked. */
async function runAll(): Promise<void> {
  const runs = new Map<string, Case[]>();
  for (const one of cases) {
    for (const format of one.formats) {
      const key = JSON.stringify([format, one.options]);
      runs.set(key, [...(runs.get(key) ?? []), one]);
    }
  }
  for (const [index, [key, group]] of [...runs].entries()) {
    const [format, options] = JSON.parse(key) as [string, Record<string, string>];
    await run(group, format, options, join(folder.path, `out-${index}`));
  }
}

async function run(
  group: readonly Case[],
  format: string,
  options: Readonly<Record<string, string>>,
  out: string,
): Promise<void> {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const args = ['upscale', ...group.map(({ file }) => file), '-o', `${out}/`, '--format', format, ...flags, '--json'];
  const { stdout, stderr } = await program.run(args, { cwd: folder.path });
  const { results, failed } = JSON.parse(stdout === '' ? '{}' : stdout) as {
    readonly results?: readonly {
      readonly input: string;
      readonly output: string;
      readonly info: ImageResult['info'];
    }[];
    readonly failed?: readonly { readonly input: string; readonly message: string }[];
  };
  for (const { name, file } of group) {
    const made = results?.find(({ input }) => basename(input) === file);
    const error = failed?.find(({ input }) => basename(input) === file);
    const said = made ? made.info.warnings.join('; ') : (error?.message ?? stderr);
    note(name, 'cli', format, { file: made ? resolve(folder.path, made.output) : null, said });
  }
}

async function postAll(): Promise<void> {
  for (const { name, file, options, formats } of cases) {
    for (const format of formats) {
      const form = new FormData();
      for (const [field, value] of Object.entries({ ...options, output_format: format })) form.set(field, value);
      form.set('file', new File([readFileSync(join(folder.path, file))], file));
      const answer = await fetch(`${server.url}/upscale`, { method: 'POST', body: form });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const result = join(folder.path, `${name}.${format}.http`);
      writeFileSync(result, bytes);
      const said = answer.ok ? (answer.headers.get('x-warnings') ?? '') : bytes.toString();
      note(name, 'http', format, { file: answer.ok ? result : null, said });
    }
  }
}

function note(name: string, way: keyof Outcomes, format: string, outcome: Outcome): void {
  const outcomes = told.get(name);
  if (outcomes) outcomes[way][format] = outcome;
}

function agree(name: string, format: string): boolean {
  const [cli, http] = [told.get(name)?.cli[format], told.get(name)?.http[format]];
  const isSame =
    cli?.file && http?.file
      ? readFileSync(cli.file).equals(readFileSync(http.file))
      : cli?.file === null && http?.file === null;
  if (!isSame) console.log(`DIFFERS ${name} as ${format}: [${cli?.said ?? ''}] [${http?.said ?? ''}]`);
  return isSame;
}
