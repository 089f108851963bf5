import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandPlace, PrivateNetwork } from '../machines/private-network.ts';
import { endGroup } from '../machines/private-network.ts';

/** A command, with the variables that those before it have left; its own are left to those after it. */
const SHELL = `set -eo pipefail
if [ -f "$PAGE_STATE" ]; then . "$PAGE_STATE"; fi
set -a
eval "$1"
export -p > "$PAGE_STATE"`;
/** Reach the package registry, and nothing else does. */
const OF_REGISTRY = /\bnpm (?:ci|install|pack)\b/;
/** Run until they are stopped, each with what it says when it is up. */
const LASTING: readonly (readonly [command: RegExp, said: RegExp])[] = [
  [/^redis-server\b/, /Ready to accept connections/],
  [/\bhiresfix serve\b|\bnpm start\b|\bnpm run dev\b/, /"?listening"?/],
  [/--watch\b/, /watching/],
];
/** Of the service, in what the pages write. */
const ADDRESS = /\b(?:localhost|127\.0\.0\.1):(\d+)/;
const LIMIT_MS = 15 * 60_000;

interface SessionPlace extends CommandPlace {
  /** What commands of npm get besides. */
  readonly registry: Readonly<Record<string, string>>;
}

/** A shell that a reader pastes the commands of one block into. */
export class PageSession {
  readonly #network: PrivateNetwork;
  readonly #place: SessionPlace;
  readonly #lasting: ChildProcess[] = [];

  constructor(network: PrivateNetwork, place: SessionPlace) {
    this.#network = network;
    const state = join(place.cwd, `.page-state-${process.hrtime.bigint()}`);
    this.#place = { ...place, env: { ...place.env, PAGE_STATE: state } };
  }

  /** Runs a command to its end, or until it is up where it lasts. @returns what it said last where it failed, else `undefined` */
  async run(command: string): Promise<string | undefined> {
    const [, said] = LASTING.find(([of]) => of.test(command)) ?? [];
    const [, port] = said === undefined || command.includes('--watch') ? (ADDRESS.exec(command) ?? []) : [];
    if (port !== undefined) await this.#serve(port);
    return said === undefined ? this.#finish(command) : this.#bringUp(command, said);
  }

  /** Stops what was left running. */
  async end(): Promise<void> {
    for (const child of this.#lasting) await stop(child);
  }

  #start(command: string): ChildProcess {
    const { cwd, env, registry } = this.#place;
    const shell = ['bash', '-c', SHELL, 'bash', command];
    if (!OF_REGISTRY.test(command)) return this.#network.start(shell, { cwd, env });
    return spawn('bash', shell.slice(1), {
      cwd,
      env: { ...registry, ...env, MODEL_DOWNLOADS: 'false' },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  async #finish(command: string): Promise<string | undefined> {
    const child = this.#start(command);
    const listened = listenTo(child);
    child.stdin?.end();
    const code = await Promise.race([
      once(child, 'close').then(([ended, signal]) => String(ended ?? signal)),
      after(LIMIT_MS),
    ]);
    if (code === undefined) await stop(child);
    return code === '0' ? undefined : `ended with ${code ?? 'nothing after a quarter of an hour'}: ${listened.tail()}`;
  }

  /** A store of data is left for the commands that follow; all else is stopped, as by Ctrl-C, when it is up. */
  async #bringUp(command: string, said: RegExp): Promise<string | undefined> {
    const child = this.#start(command);
    const listened = listenTo(child);
    const ended = once(child, 'close').then(([code, signal]) => `ended with ${String(code ?? signal)}`);
    const failure = await Promise.race([
      listened.until(said),
      ended,
      after(60_000).then(() => 'is not up after a minute'),
    ]);
    if (failure !== undefined) {
      await stop(child);
      return `${failure}: ${listened.tail()}`;
    }
    if (command.startsWith('redis-server')) this.#lasting.push(child);
    else await stop(child);
    return undefined;
  }

  /** The service of which the page speaks, until the block ends. */
  async #serve(port: string): Promise<void> {
    if (this.#lasting.length > 0) return;
    const { cwd, env } = this.#place;
    const child = this.#network.start(['hiresfix', 'serve'], { cwd, env: { ...env, PORT: port } });
    this.#lasting.push(child);
    const ended = once(child, 'close').then(([code]) =>
      Promise.reject(new Error(`the service ended with ${String(code)}`)),
    );
    await Promise.race([listenTo(child).until(/listening/), ended]);
    ended.catch(() => undefined);
  }
}

interface Listened {
  /** Resolves when that was said. */
  until(said: RegExp): Promise<undefined>;
  tail(): string;
}

function listenTo(child: ChildProcess): Listened {
  let text = '';
  const heard = (bytes: Buffer): void => void (text += bytes.toString());
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', heard);
  return {
    until: async (said) => {
      while (!said.test(text)) await sleep(100);
      return undefined;
    },
    tail: () => text.slice(-1200),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'close');
  endGroup(child.pid, 'SIGINT');
  const isOver = await Promise.race([exited.then(() => true), after(15_000)]);
  if (isOver !== true) endGroup(child.pid, 'SIGKILL');
}

function after(ms: number): Promise<undefined> {
  return sleep(ms, undefined, { ref: false });
}
