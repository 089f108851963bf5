#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { loadConfig } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import { addEvaluateCommand } from './evaluate-command.ts';
import { addFaceCommand } from './face-command.ts';
import { addModelsCommand } from './models-command.ts';
import { addColorizeCommand, addRestoreCommand } from './restore-command.ts';
import { addServeCommand } from './serve-command.ts';
import { addUpscaleCommand } from './upscale-command.ts';

const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

/** Errors by which the caller, not the work, is at fault. */
const USAGE_CODES = new Set(['ERR_USAGE', 'ERR_BAD_CONFIG', 'ERR_BAD_PARAMETER', 'ERR_UNKNOWN_UPSCALER']);

process.stdout.on('error', () => process.exit(FAILED)); // whoever read it (`| head`) has read enough
process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('hiresfix')
    .description('Upscale and restore images with official PyTorch checkpoints, without Python')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  addUpscaleCommand(program, () => loadConfig());
  addFaceCommand(program, () => loadConfig());
  addRestoreCommand(program, () => loadConfig());
  addColorizeCommand(program, () => loadConfig());
  addModelsCommand(program, () => loadConfig());
  addEvaluateCommand(program, () => loadConfig());
  addServeCommand(program, () => loadConfig());
  overrideExits(program);
  try {
    await program.parseAsync(argv);
    return OK;
  } catch (error) {
    return exitCodeOf(error);
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Commander copies settings to subcommands only when it makes them. */
function overrideExits(command: Command): void {
  for (const child of command.commands) overrideExits(child.exitOverride());
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : BAD_USAGE; // it has spoken itself
  if (error instanceof HiresFixError) {
    process.stderr.write(`hiresfix: ${lineOf(error.message)}\n`);
    return USAGE_CODES.has(error.code) ? BAD_USAGE : FAILED;
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
