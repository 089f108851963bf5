#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { loadConfig, loadLocalConfig } from '../config.ts';
import { HiresFixError, printable } from '../errors.ts';
import { version } from '../version.ts';
import { addCommandExamples } from './command-examples.ts';
import { InterruptedError } from './errors.ts';
import { commandsFor } from './program-commands.ts';

const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

/** Commands that have to do with all variables; others read none of those that are a server's alone. */
const OF_SERVERS: ReadonlySet<string> = new Set(['serve', 'config', 'doctor']);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read it (`| head`) has read enough.
  if (error.code !== 'EPIPE') process.stderr.write(`hiresfix: stdout cannot be written (${error.message})\n`);
  process.exit(FAILED);
});
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
  addCommandExamples(program);
  overrideExits(program);
  try {
    await program.parseAsync(argv);
    return OK;
  } catch (error) {
    return exitCodeOf(error);
  }
}

/** Commander copies settings to subcommands only when it makes them. */
function overrideExits(command: Command): void {
  for (const child of command.commands) overrideExits(child.exitOverride());
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : BAD_USAGE; // it has spoken itself
  if (error instanceof HiresFixError) {
    process.stderr.write(`hiresfix: ${lineOf(error.message)}\n`);
    if (error instanceof InterruptedError) return error.exitCode;
    return error.fault === 'task' ? BAD_USAGE : FAILED;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`hiresfix: ${lineOf(text)}\n`);
  return FAILED;
}

/** One line, whatever lists a message holds, and whatever names of files. */
function lineOf(text: string): string {
  const line = text
    .trim()
    .replace(/:\s*\n\s*/g, ': ')
    .replace(/\s*\n\s*/g, '; ');
  return printable(line);
}
