import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { mistypedVariables } from '../../config.ts';
import { expectation, wholeText } from '../../options/values.ts';
import { UsageError } from '../errors.ts';

/** Adds `hiresfix serve` to the program. */
export function addServeCommand(program: Command, loadConfig: () => Config): void {
  program
    .command('serve')
    .description('Answer REST and socket requests until it is stopped')
    .option('-p, --port <number>', 'port to listen on, instead of PORT; 0 takes a free one')
    .action(async (flags: { readonly port?: string }) => {
      const config = loadConfig();
      for (const [name, meant] of mistypedVariables()) {
        process.stderr.write(`hiresfix: the variable ${name} is not known and has no effect; did you mean ${meant}?\n`);
      }
      const { startService } = await import('../../main.ts'); // the server's packages are not loaded for other commands
      const { url } = await startService(flags.port === undefined ? config : { ...config, port: portOf(flags.port) });
      process.stdout.write(`hiresfix answers at ${url}\n`);
    });
}

function portOf(text: string): number {
  const port = wholeText({ min: 0, max: 65535 }).safeParse(text);
  if (port.success) return port.data;
  throw new UsageError(`--port: ${expectation(port.error.issues[0])}, got ${JSON.stringify(text)}`);
}
