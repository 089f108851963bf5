import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const PROGRAM = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');

/** An S3-compatible store of a test's own, with the bucket `jobs`; it keeps its objects in `folder`. */
export class S3Server {
  readonly endpoint: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.endpoint = `http://127.0.0.1:${port}`;
    const where = ['-d', join(folder, 's3'), '-a', '127.0.0.1', '-p', String(port)];
    // It makes the tokens of its lists by an old cipher.
    this.#args = ['--openssl-legacy-provider', PROGRAM, ...where, '--silent', '--configure-bucket', 'jobs'];
  }

  static async start(folder: string): Promise<S3Server> {
    const server = new S3Server(folder, await freePort());
    await server.resume();
    return server;
  }

  /** What a server of the service is told of it. */
  get env(): Record<string, string> {
    return {
      STORAGE_URL: 's3://jobs/some/where',
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    };
  }

  /** Starts it, with the objects that it had before. */
  async resume(): Promise<void> {
    this.#child = spawn(process.execPath, this.#args, { stdio: 'ignore' });
    while (!(await fetch(this.endpoint).catch(() => undefined))) await sleep(20);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
