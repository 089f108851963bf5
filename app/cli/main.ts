#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import type { Config } from '../config.ts';
import { loadConfig, loadLocalConfig } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import { IMAGE_METHODS } from '../options/methods.ts';
import { version } from '../version.ts';

const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

/** Commands that have to do with all variables; others read none of those that are a server's alone. */
const OF_SERVERS: ReadonlySet<string> = new Set(['serve', 'config', 'doctor']);

type AddCommand = (program: Command, loadConfig: () => Config) => void;

interface ProgramCommand {
  readonly name: string;
  readonly load: () => Promise<AddCommand>;
}

const WRITTEN_COMMANDS: readonly ProgramCommand[] = [
  { name: 'upscale', load: async () => (await import('./commands/upscale-command.ts')).addUpscaleCommand },
  { name: 'face', load: async () => (await import('./commands/face-command.ts')).addFaceCommand },
  { name: 'faces', load: async () => (await import('./commands/faces-command.ts')).addFacesCommand },
  { name: 'restore', load: async () => (await import('./commands/restore-command.ts')).addRestoreCommand },
  { name: 'colorize', load: async () => (await import('./commands/restore-command.ts')).addColorizeCommand },
  { name: 'models', load: async () => (await import('./commands/models-command.ts')).addModelsCommand },
  { name: 'evaluate', load: async () => (await import('./commands/evaluate-command.ts')).addEvaluateCommand },
  { name: 'mcp', load: async () => (await import('./commands/mcp-command.ts')).addMcpCommand },
  { name: 'serve', load: async () => (await import('./commands/serve-command.ts')).addServeCommand },
];

/** Of methods that make an image of an image and for which none is written. */
const METHOD_COMMANDS: readonly ProgramCommand[] = [...IMAGE_METHODS]
  .filter(([name, { answer }]) => answer === 'image' && !WRITTEN_COMMANDS.some((command) => command.name === name))
  .map((method) => ({
    name: method[0],
    load: async () => {
      const { addMethodCommand } = await import('./commands/method-command.ts');
      return (program, load) => addMethodCommand(method, program, load);
    },
  }));

const COMMANDS = [...WRITTEN_COMMANDS, ...METHOD_COMMANDS];

process.stdout.on('error', () => process.exit(FAILED)); // whoever read it (`| head`) has read enough
process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('hiresfix')
    .description('Upscale and restore images with official PyTorch checkpoints, without Python')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  const load = OF_SERVERS.has(argv[2] ?? '') ? loadConfig : loadLocalConfig;
  for (const add of await commandsFor(argv[2])) add(program, load);
  overrideExits(program);
  try {
    await program.parseAsync(argv);
    return OK;
  } catch (error) {
    return exitCodeOf(error);
  }
}

/**
 * The command that is asked for; all of them, in the order of the help, where none is. What the others need is not loaded:
 * that takes as long as the rest of the start.
 */
async function commandsFor(name: string | undefined): Promise<readonly AddCommand[]> {
  const asked = COMMANDS.filter((command) => command.name === name);
  return Promise.all((asked.length > 0 ? asked : COMMANDS).map(({ load }) => load()));
}

/** Commander copies settings to subcommands only when it makes them. */
function overrideExits(command: Command): void {
  for (const child of command.commands) overrideExits(child.exitOverride());
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : BAD_USAGE; // it has spoken itself
  if (error instanceof HiresFixError) {
    process.stderr.write(`hiresfix: ${lineOf(error.message)}\n`);
    return error.fault === 'task' ? BAD_USAGE : FAILED;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`hiresfix: ${lineOf(text)}\n`);
  return FAILED;
}

/** One line, whatever lists a message holds. */
function lineOf(text: string): string {
  return text
    .trim()
    .replace(/:\s*\n\s*/g, ': ')
    .replace(/\s*\n\s*/g, '; ');
}
