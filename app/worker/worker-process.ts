import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { environmentWithoutSecrets } from '../config.ts';
import { forkedModule, giveWay } from '../files/forked-module.ts';
import type { StartMessage, WorkerMessage } from './protocol.ts';

/** How a worker process ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr, or why it could not be forked. */
  readonly stderr: string;
}

/** Cards are counted as `nvidia-smi` does, which CUDA left to itself does not where they differ. */
const CARD_ORDER = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
/** glibc keeps what was freed for each arena by itself, of which there are eight to a core. */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };
/** V8 keeps what its new objects lay in, up to 32 MiB, and a worker has few that are not pixels; in MiB, of one of its two halves. */
const SMALL_NURSERY = '--max-semi-space-size=4';
/** What is kept of a worker's stderr, in characters: native libraries can write without end. */
const STDERR_KEPT = 4096;

/**
 * One forked worker: takes a task, and others after it as long as it is left alive; its end gives every byte of memory back. Killing
 * it is how a task is cancelled, since a network that runs cannot be interrupted.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<WorkerExit>;
  /** Whether it came up; false where it died before it could take a task. Never rejects. */
  readonly ready: Promise<boolean>;
  #stderr = '';
  #tasks = 0;

  /**
   * @param isBackground whether other processes (the server) go before it on the CPU
   * @param card the only one that CUDA shows it, as `CUDA_VISIBLE_DEVICES` names it; by default all
   * @throws what forking throws where the system has no memory for another process
   */
  constructor(isBackground: boolean, card?: string) {
    const { entry, execArgv } = forkedModule(import.meta.url, './child');
    this.#child = fork(entry, [], {
      env: {
        ...CARD_ORDER,
        ...FEW_ARENAS,
        ...environmentWithoutSecrets(),
        ...(card !== undefined && { CUDA_VISIBLE_DEVICES: card }),
      },
      execArgv: ['--expose-gc', SMALL_NURSERY, ...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.exited = this.#exit();
    this.ready = Promise.race([
      new Promise<boolean>((resolve) => this.#child.once('message', () => resolve(true))),
      this.exited.then(() => false),
    ]);
    if (isBackground) giveWay(this.pid);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How many tasks it was given. */
  get tasks(): number {
    return this.#tasks;
  }

  /** Hands over a task; messages come to `onMessage` until the process exits or is handed another. */
  start(message: StartMessage, onMessage: (message: WorkerMessage) => void): void {
    this.#tasks++;
    this.#stderr = ''; // what was written of another task is not told of this one
    this.#child.removeAllListeners('message').on('message', (received) => onMessage(received as WorkerMessage));
    this.#child.send(message, () => undefined); // one that cannot be told has died: `exited` says so
  }

  /** Ends the process at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #exit(): Promise<WorkerExit> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#child.on('error', (error) => {
        if (this.pid !== undefined) return; // it lives, or its end comes as `close`
        this.#stderr += error.message;
        resolve([null, null]);
      });
      this.#child.once('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
    });
    return { code, signal, stderr: this.#stderr.trim() };
  }
}
