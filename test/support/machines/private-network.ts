import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a command runs, and with what. */
export interface CommandPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A network of its own, of Linux, that has a loopback and nothing else: what runs in it reaches no other host, whatever it tries, and
 * no port of this machine. Names that pages use for machines of a reader's lead to the loopback.
 */
export class PrivateNetwork {
  readonly #holder: ChildProcess;
  readonly #started = new Set<ChildProcess>();

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** Needs root, `unshare`, `nsenter` and `ip`. `folder` is for the file of names. */
  static async open(folder: string, names: readonly string[]): Promise<PrivateNetwork> {
    const hosts = join(folder, 'hosts');
    writeFileSync(hosts, `127.0.0.1 localhost ${names.join(' ')}\n`);
    const setUp = `ip link set lo up && mount --bind '${hosts}' /etc/hosts && echo ready && exec sleep infinity`;
    const holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', setUp], { stdio: ['ignore', 'pipe', 'inherit'] });
    const failed = once(holder, 'exit').then(([code]) => {
      throw new Error(`no network of its own: unshare ended with ${String(code)}`);
    });
    await Promise.race([once(holder.stdout, 'data'), failed]);
    failed.catch(() => undefined);
    return new PrivateNetwork(holder);
  }

  /** Starts a program in it, in a process group of its own, so that it can be stopped as by Ctrl-C. */
  start(command: readonly string[], { cwd, env }: CommandPlace): ChildProcess {
    const into = ['--target', String(this.#holder.pid), '--net', '--mount', `--wdns=${cwd}`];
    const child = spawn('nsenter', [...into, ...command], {
      cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#started.add(child);
    child.once('exit', () => this.#started.delete(child));
    return child;
  }

  /** Ends all that runs in it, and it. */
  close(): void {
    for (const { pid } of this.#started) if (pid !== undefined) endGroup(pid, 'SIGKILL');
    this.#holder.kill('SIGKILL');
  }
}

/** Sends a signal to all of a process group that is left. */
export function endGroup(pid: number, signal: 'SIGINT' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
