import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { addExamples } from '../image-arguments.ts';
import { AllowedRoots } from '../mcp/allowed-roots.ts';
import { PictureWork } from '../mcp/picture-work.ts';
import { remoteClient } from '../remote/remote-client.ts';

const EXAMPLES = ['mcp --root ~/Pictures', 'mcp --root ~/Pictures --root /tmp --server http://127.0.0.1:8001'];

/** Adds `hiresfix mcp` to the program. */
export function addMcpCommand(program: Command, loadConfig: () => Config): void {
  const command = program
    .command('mcp')
    .description('Serve the Model Context Protocol on stdin and stdout: upscale, restore, colorize, find faces')
    .option(
      '--root <folder>',
      'folder that pictures are read from and written to; may be repeated; by default the working folder',
      collect,
      [],
    )
    .option('--server <url>', 'let a running service do the work; its key, if it needs one, in HIRESFIX_API_KEY');
  addExamples(command, EXAMPLES).action(
    async (flags: { readonly root: readonly string[]; readonly server?: string }) => {
      const { server } = flags;
      const config = loadConfig();
      if (server !== undefined) remoteClient(server); // a bad URL ends the command now
      const roots = await AllowedRoots.of(flags.root.length > 0 ? flags.root : [process.cwd()]);
      await serve(new PictureWork({ config, roots, server }), config, server);
    },
  );
}

/** Answers until stdin ends. */
async function serve(work: PictureWork, config: Config, server: string | undefined): Promise<void> {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  const { modelsLister, pictureServer } = await import('../mcp/picture-server.ts');
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve);
  });
  const handle = serveStdio(() => pictureServer(work, modelsLister(config, server)));
  await ended;
  await handle.close();
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
