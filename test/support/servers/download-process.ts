import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ModelDownloaderOptions } from '../../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Makes one file of the downloading process, so that it starts in an instant; returns its path. */
export async function bundleDownloadChild(directory: string): Promise<string> {
  const outfile = join(directory, 'download-child.mjs');
  const require = `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(`${ROOT}package.json`)});`;
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/esbuild'), [
    join(ROOT, 'test/integration/download/download-child.ts'),
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--log-level=error',
    `--banner:js=${require}`,
    `--outfile=${outfile}`,
  ]);
  return outfile;
}

export interface DownloadRequest {
  readonly options: ModelDownloaderOptions;
  readonly model: RemoteModel;
}

/** A process that downloads one model. */
export class DownloadProcess {
  readonly child: ChildProcess;
  #output = '';

  constructor(program: string, request: DownloadRequest, environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [program, JSON.stringify(request)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /** Resolves when the first bytes have come, or when the process has ended without any. */
  async started(): Promise<void> {
    const ended = once(this.child, 'close');
    while (!this.#output.includes('started') && this.child.exitCode === null && this.child.signalCode === null) {
      await Promise.race([once(this.child.stdout ?? this.child, 'data'), ended]);
    }
  }

  /** Its last line, when it has ended; undefined where it was killed. */
  async result(): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    const last = this.#output.trim().split('\n').at(-1) ?? '';
    return last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : undefined;
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'close');
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await ended;
  }
}
