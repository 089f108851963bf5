import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { mistypedVariables } from '../../config.ts';
import { expectation, wholeText } from '../../options/values.ts';
import { UsageError } from '../errors.ts';
import { openInBrowser } from '../open-in-browser.ts';

/** Adds `hiresfix serve` to the program. */
export function addServeCommand(program: Command, loadConfig: () => Config): void {
  program
    .command('serve')
    .description('Start the service: dashboard, REST API and socket.io, until Ctrl-C')
    .option('-p, --port <number>', 'port to listen on, instead of PORT; 0 picks a free one')
    .option('--open', 'open the dashboard in the browser')
    .action(async (flags: { readonly port?: string; readonly open?: boolean }) => {
      const config = loadConfig();
      for (const [name, meant] of mistypedVariables()) {
        process.stderr.write(`hiresfix: the variable ${name} is not known and has no effect; did you mean ${meant}?\n`);
      }
      const { startService } = await import('../../main.ts'); // the server's packages are not loaded for other commands
      const { url, dashboardUrl } = await startService(
        flags.port === undefined ? config : { ...config, port: portOf(flags.port) },
      );
      process.stdout.write(`hiresfix answers at ${url}\n`);
      if (dashboardUrl !== url) process.stdout.write(`the dashboard is at ${dashboardUrl}\n`);
      if (flags.open === true) await openDashboard(pageOf(dashboardUrl));
    });
}

async function openDashboard(page: string): Promise<void> {
  if (await openInBrowser(page)) return;
  process.stderr.write(`hiresfix: no browser could be opened here; the dashboard is at ${page}\n`);
}

/** Where a browser on this machine finds what listens on every interface. */
function pageOf(url: string): string {
  const page = new URL(url);
  if (page.hostname === '0.0.0.0' || page.hostname === '[::]') page.hostname = 'localhost';
  return page.href;
}

function portOf(text: string): number {
  const port = wholeText({ min: 0, max: 65535 }).safeParse(text);
  if (port.success) return port.data;
  throw new UsageError(`--port: ${expectation(port.error.issues[0])}, got ${JSON.stringify(text)}`);
}
