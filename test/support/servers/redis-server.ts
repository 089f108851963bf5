import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** Whether tests that need a Redis can run here. */
export const HAS_REDIS = spawnSync('redis-server', ['--version']).status === 0;

export interface RedisSettings {
  /** Of `redis.conf`, as arguments. */
  readonly settings?: readonly string[];
  readonly password?: string;
}

/** A Redis of a test's own, that keeps what it was told as the README asks for. */
export class RedisServer {
  readonly url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, { settings = [], password }: RedisSettings) {
    this.url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
    this.#folder = folder;
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''];
    this.#args = [...own, ...(password === undefined ? [] : ['--requirepass', password]), ...settings];
  }

  static async start(settings: RedisSettings = {}): Promise<RedisServer> {
    const redis = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'hiresfix-redis-')), settings);
    await redis.resume();
    return redis;
  }

  /** All that it keeps on the disk. */
  async stored(): Promise<string> {
    const folder = join(this.#folder, 'appendonlydir');
    const files = await readdir(folder);
    return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')))).join('');
  }

  /** Starts it, with what it knew before. */
  async resume(): Promise<void> {
    this.#child = spawn('redis-server', this.#args, { stdio: 'ignore' });
    const probe = new Redis(this.url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
    probe.on('error', () => undefined);
    await probe.ping();
    probe.disconnect();
  }

  /** Ends it at once, without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
