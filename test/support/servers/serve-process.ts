import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { forkedModule } from '../../../app/files/forked-module.ts';

const { href: CLI } = new URL('../../../app/cli/main.ts', import.meta.url);

/** A line of the log, in part. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly job_id?: string;
  /** Of an image of the job. */
  readonly index?: number;
  readonly caller?: string;
  readonly request_id?: string;
  readonly error?: { readonly message?: string; readonly stack?: string };
}

/** A server process of its own, to be killed. */
export interface ServeProcess {
  readonly url: string;
  readonly pid: number;
  /** Stops it as a machine does that has no time for it, and lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** What it has logged so far, at the level of LOG_LEVEL. */
  logLines(): readonly LogLine[];
  /** Tells it to stop, and resolves to its exit code when it has. */
  stop(): Promise<number | null>;
  /** Ends it at once, without a word; its workers end by themselves. */
  kill(): Promise<void>;
}

/**
 * Starts `hiresfix serve` over the folders `in` and `out` of `folder`; resolves when it takes jobs.
 * @param main of a built program; by default that of the build that tests share, or else the sources are run
 */
export async function serveProcess(
  folder: string,
  env: Record<string, string> = {},
  main?: string,
): Promise<ServeProcess> {
  const { entry, execArgv } = main === undefined ? forkedModule(CLI, './main') : { entry: main, execArgv: [] };
  const child: ChildProcess = spawn(process.execPath, [...execArgv, entry, 'serve', '--port', '0'], {
    env: {
      PATH: process.env['PATH'],
      UPLOAD_FOLDER: join(folder, 'in'),
      PROCESSED_FOLDER: join(folder, 'out'),
      MODEL_DOWNLOADS: 'false',
      LOG_LEVEL: 'error',
      RESULT_CACHE_MB: '0', // every job is to be run
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    process.stderr.write(text);
  });
  const exited = once(child, 'exit');
  const died = exited.then(([code]) => {
    throw new Error(`the server ended with ${String(code)} before it answered: ${log.trim()}`);
  });
  const line: unknown[] = await Promise.race([once(child.stdout?.setEncoding('utf8') ?? child, 'data'), died]);
  died.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    logLines: () =>
      log
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    signal: (signal) => child.kill(signal),
    url: /http:\S+/.exec(String(line[0]))?.[0] ?? '',
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
